import { execFile } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';

const root = join(import.meta.dirname, '../..');

/** Some code for each rule that only it has to refuse; a rule without any here fails the test. */
const refused: Record<string, string> = {
  'no-array-constructor': 'export const a = new Array(0, 1, 2);',
  'no-unused-expressions': 'declare const a: number;\na + 1;',
  'no-unused-vars': 'const a = 1;\nexport {};',
  'no-useless-constructor': 'export class A {\n  a = 1;\n  constructor() {}\n}',
  'no-var': 'export var a = 1;',
  'prefer-const': 'let a = 1;\nexport { a };',
  'prefer-rest-params': 'export function f() {\n  return arguments[0];\n}',
  'prefer-spread': 'export const f = (g: (...a: number[]) => void, a: number[]) => g.apply(undefined, a);',
  'typescript/await-thenable': 'export const f = async () => await 1;',
  'typescript/ban-ts-comment': '// @ts-ignore\nexport const a: number = 1;',
  'typescript/no-array-delete': 'export const f = (a: number[]) => {\n  delete a[0];\n};',
  'typescript/no-base-to-string': 'export const f = (a: object) => String(a);',
  'typescript/no-confusing-void-expression':
    'declare const g: () => void;\nexport const f = () => {\n  return g();\n};',
  'typescript/no-deprecated': '/** @deprecated */\nconst a = 1;\nexport const b = a + 1;',
  'typescript/no-duplicate-enum-values': 'export enum A {\n  a = 1,\n  b = 1,\n}',
  'typescript/no-duplicate-type-constituents': 'export type A = string | string;',
  'typescript/no-dynamic-delete':
    'export const f = (a: Record<string, number>, b: string) => {\n  delete a[b];\n};',
  'typescript/no-empty-object-type': 'export type A = {};',
  'typescript/no-explicit-any': 'export type A = any;',
  'typescript/no-extra-non-null-assertion': 'export const f = (a: number | null) => a!!;',
  'typescript/no-extraneous-class': 'export class A {}',
  'typescript/no-floating-promises': 'Promise.resolve(1);\nexport {};',
  'typescript/no-for-in-array':
    'export const f = (a: number[]) => {\n  for (const i in a) console.log(i);\n};',
  'typescript/no-generated-empty-object-type': 'export type A = Pick<{ a: 1 }, never>;',
  'typescript/no-implied-eval': "setTimeout('console.log(1)', 1);\nexport {};",
  'typescript/no-invalid-void-type': 'export type A = void | string;',
  'typescript/no-meaningless-void-operator': 'declare const g: () => void;\nvoid g();\nexport {};',
  'typescript/no-misused-new': 'export interface A {\n  new (): A;\n}',
  'typescript/no-misused-promises': 'export const f = (a: Promise<number>) => (a ? 1 : 2);',
  'typescript/no-misused-spread': 'export const f = (a: Map<string, number>) => ({ ...a });',
  'typescript/no-mixed-enums': "export enum A {\n  a = 1,\n  b = 'b',\n}",
  'typescript/no-namespace': 'export namespace A {\n  export const a = 1;\n}',
  'typescript/no-non-null-asserted-nullish-coalescing':
    'export const f = (a: { b: number | null }) => a.b! ?? 1;',
  'typescript/no-non-null-asserted-optional-chain': 'export const f = (a: { b: number } | null) => a?.b!;',
  'typescript/no-non-null-assertion': 'export const f = (a: number | null) => a!;',
  'typescript/no-redundant-type-constituents': 'export type A = unknown | string;',
  'typescript/no-require-imports': "import a = require('node:fs');\nexport { a };",
  'typescript/no-this-alias': 'export function f(this: number) {\n  const a = this;\n  return a;\n}',
  'typescript/no-unnecessary-boolean-literal-compare': 'export const f = (a: boolean) => a === true;',
  'typescript/no-unnecessary-condition': 'export const f = (a: object) => (a ? 1 : 2);',
  'typescript/no-unnecessary-template-expression': "export const a = `${'a'}b`;",
  'typescript/no-unnecessary-type-arguments':
    'declare function g<T = number>(): T;\nexport const a = g<number>();',
  'typescript/no-unnecessary-type-assertion': 'export const f = (a: string) => a as string;',
  'typescript/no-unnecessary-type-constraint': 'export type A<T extends unknown> = T[];',
  'typescript/no-unnecessary-type-conversion': 'export const f = (a: string) => String(a);',
  'typescript/no-unnecessary-type-parameters': 'export function f<T>(a: T): void {\n  console.log(a);\n}',
  'typescript/no-unsafe-argument': "export const a = parseInt(JSON.parse('1'), 10);",
  'typescript/no-unsafe-assignment': "const a = JSON.parse('1');\nexport { a };",
  'typescript/no-unsafe-call': "JSON.parse('1')();\nexport {};",
  'typescript/no-unsafe-declaration-merging':
    'export interface A {\n  b: 1;\n}\nexport class A {\n  a = 1;\n}',
  'typescript/no-unsafe-enum-assignment':
    'enum A {\n  a = 1,\n}\nexport let b: A = A.a;\nexport const f = (n: number) => {\n  b = n;\n};',
  'typescript/no-unsafe-enum-comparison':
    'enum A {\n  a = 1,\n}\nexport const f = (b: A, c: number) => b === c;',
  'typescript/no-unsafe-function-type': 'export type A = Function;',
  'typescript/no-unsafe-member-access': "export const f = (): unknown => JSON.parse('1').b;",
  'typescript/no-unsafe-return': "export const f = () => JSON.parse('1');",
  'typescript/no-unsafe-unary-minus': 'export const f = (a: string) => -a;',
  'typescript/no-useless-default-assignment':
    'export const f = (a: { b: number }) => {\n  const { b = 1 } = a;\n  return b;\n};',
  'typescript/no-wrapper-object-types': 'export type A = String;',
  'typescript/only-throw-error': "export const f = () => {\n  throw 'a';\n};",
  'typescript/prefer-as-const': "export const a = 'a' as 'a';",
  'typescript/prefer-literal-enum-member': 'export enum A {\n  a = Math.abs(-1),\n}',
  'typescript/prefer-namespace-keyword': 'export declare module A {\n  const a: 1;\n}',
  'typescript/prefer-promise-reject-errors': "export const f = () => Promise.reject('a');",
  'typescript/prefer-reduce-type-parameter':
    'export const f = (a: number[]) => a.reduce((b, c) => b.concat(c), [] as number[]);',
  'typescript/prefer-return-this-type': 'export class A {\n  a = 1;\n  f(): A {\n    return this;\n  }\n}',
  'typescript/related-getter-setter-pairs':
    'export interface A {\n  get a(): string;\n  set a(value: number);\n}',
  'typescript/require-await': 'export async function f() {\n  return 1;\n}',
  'typescript/restrict-plus-operands': 'export const f = (a: number, b: string) => a + b;',
  'typescript/restrict-template-expressions': 'export const f = (a: string | undefined) => `${a}`;',
  'typescript/return-await':
    'declare const g: () => Promise<number>;\nexport async function f() {\n  try {\n    return g();\n  } catch {\n    return 1;\n  }\n}',
  'typescript/triple-slash-reference': '/// <reference path="other.ts" />\nexport {};',
  'typescript/unbound-method':
    'export class A {\n  a = 1;\n  f() {\n    return this.a;\n  }\n}\nexport const g = new A().f;',
  'typescript/unified-signatures': 'export interface A {\n  f(a: number): void;\n  f(a: string): void;\n}',
  'typescript/use-unknown-in-catch-callback-variable':
    'export const f = (a: Promise<number>) => a.catch((error: any) => error);',
};

interface Configuration {
  rules: Record<string, unknown>;
  overrides: { rules: Record<string, unknown> }[];
}

/** Runs the linter with our configuration over files of these texts: the rules that each one broke, by file. */
async function broken(files: Record<string, string>): Promise<Map<string, string[]>> {
  const folder = await temporaryFolder();
  const tsconfig = JSON.parse(await readFile(join(root, 'tsconfig.json'), 'utf8')) as {
    compilerOptions: object;
  };
  const compilerOptions = { ...tsconfig.compilerOptions, types: [] };
  await copyFile(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), `${text}\n`);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, 'node_modules/oxlint/bin/oxlint'), '--format', 'json'],
    { cwd: folder, maxBuffer: 2 ** 26, env: { ...process.env, OXLINT_TSGOLINT_PATH: tsgolint } },
  ).catch((failed: unknown) => failed as { stdout: string });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code?: string; filename: string }[] };
  const found = new Map<string, string[]>();
  for (const { code = '', filename } of diagnostics) {
    const rule = code.replace(/^(typescript|eslint)\((.*)\)$/, (_, plugin: string, name: string) =>
      plugin === 'typescript' ? `typescript/${name}` : name,
    );
    found.set(filename, [...(found.get(filename) ?? []), rule]);
  }
  return found;
}

const tsgolint = join(root, 'node_modules/.bin', process.platform === 'win32' ? 'tsgolint.cmd' : 'tsgolint');

describe('the configuration of oxlint', () => {
  it('refuses what each of its rules is for', async () => {
    const configuration = JSON.parse(await readFile(join(root, '.oxlintrc.json'), 'utf8')) as Configuration;
    const rules = [configuration, ...configuration.overrides].flatMap(({ rules }) => Object.keys(rules));
    expect(Object.keys(refused).sort()).toEqual([...new Set(rules)].sort());

    const files = Object.entries(refused).map(([rule, text], i) => ({ rule, name: `${i}.ts`, text }));
    const found = await broken(Object.fromEntries(files.map(({ name, text }) => [name, text])));
    const silent = files.filter(({ rule, name }) => !found.get(name)?.includes(rule));
    expect(silent.map(({ rule, name }) => ({ rule, found: found.get(name) }))).toEqual([]);
  });

  it('refuses types that do not fit, and a comment that switches off a rule nothing broke', async () => {
    const found = await broken({
      'types.ts': "export const a: number = 'a';",
      'comment.ts': '// oxlint-disable-next-line no-var\nexport const a = 1;',
      'fine.ts': 'export const a = 1;',
    });
    expect([...found.keys()].sort()).toEqual(['comment.ts', 'types.ts']);
    expect(found.get('types.ts')?.join()).toMatch(/2322/);
  });
});
