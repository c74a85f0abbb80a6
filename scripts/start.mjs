/** npm start: sets everything up, then opens the application; without a display, runs the main job headless. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { hasDisplay, root, runToEnd, say } from './lib.mjs';
import { setup } from './setup.mjs';

const passed = process.argv.slice(2);

if (hasDisplay()) {
  const dist = await setup();
  const { electronProgram } = await import('./ensure-electron.mjs');
  // Chromium refuses its sandbox for root on Linux; nobody but containers and test machines starts it so.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const child = spawn(electronProgram(dist), [...sandbox, root, ...passed], {
    cwd: process.cwd(),
    stdio: 'inherit',
  });
  child.on('exit', (code) => process.exit(code ?? 1));
} else {
  await setup({ wantElectron: false });
  const out = join(process.cwd(), 'archetone-report');
  say('There is no display, so the window cannot open.');
  say(`Running the main job on the demo library instead; the report goes to ${out}`);
  process.exit(
    await runToEnd(process.execPath, [join(root, 'bin', 'archetone.js'), 'demo', '--out', out, ...passed]),
  );
}
