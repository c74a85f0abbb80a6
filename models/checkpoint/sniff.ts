import type { ByteSource } from './bytes.ts';
import type { Container } from './container.ts';
import { CheckpointError } from './errors.ts';

const EXPECTED = 'Choose the .pt, .th, .ckpt or .safetensors file of the model itself.';
const TAR_MAGIC_AT = 257;
const SNIFFED = 512;

/**
 * Tells the containers apart by their first bytes.
 * @throws CheckpointError `not-a-checkpoint` or `unsupported`, saying what the file is instead.
 */
export async function sniffContainer(bytes: ByteSource): Promise<Container['kind']> {
  const start = await bytes.read(0, SNIFFED);
  if (start.length === 0) throw wrong('the file is empty', 'The download failed: get the file again.');
  const head = new TextDecoder('latin1').decode(start);
  if (head.startsWith('PK\x03\x04')) return 'torch-zip';
  if (head.startsWith('\x80\x02\x8a\x0a')) return 'torch-legacy';
  if (head.startsWith('PK\x05\x06')) throw wrong('the file is an empty zip archive', EXPECTED);
  if (head.startsWith('ustar', TAR_MAGIC_AT)) {
    throw new CheckpointError(
      'unsupported',
      'the file is a tar archive, the container of PyTorch before 0.1.10',
      'Nothing that Archetone uses was published in it: check that you chose the right file.',
    );
  }
  if (start[8] === 0x7b && start.length > 8) return 'safetensors';
  throw wrong(...describe(start, head));
}

/**
 * What people save by mistake under a checkpoint's name, and what to do about each. Nothing of what is in the file is told:
 * whoever asks may not be allowed to read it.
 */
function describe(start: Uint8Array, head: string): [what: string, hint: string] {
  const text = head.trimStart().toLowerCase();
  if (/^(<!doctype html|<html|<\?xml|<head|<body|<!--)/.test(text))
    return [
      'the file is a web page, not a checkpoint',
      'The server sent an error or a sign-in page: open the link in a browser and download the file itself.',
    ];
  if (head.startsWith('version https://git-lfs.github.com/spec/'))
    return [
      'the file is only a Git LFS pointer to the checkpoint',
      'Download the file itself from the hub, or run “git lfs pull”.',
    ];
  if (head.startsWith('\x1f\x8b') || head.startsWith('BZh') || head.startsWith('\xfd7zXZ'))
    return ['the file is compressed', `Unpack it first. ${EXPECTED}`];
  if (head.startsWith('\x89HDF')) return ['the file is in HDF5, which Keras uses', EXPECTED];
  if (head.startsWith('GGUF')) return ['the file is a GGUF language model', EXPECTED];
  if (start[0] === 0x80 && (start[1] ?? 9) <= 5)
    return ['the file is a Python pickle, but not one that PyTorch wrote', EXPECTED];
  if (isText(start)) return ['the file is plain text', EXPECTED];
  return ['the file is of an unknown kind', EXPECTED];
}

function isText(start: Uint8Array): boolean {
  return start.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}

function wrong(what: string, hint: string): CheckpointError {
  return new CheckpointError('not-a-checkpoint', what, hint);
}
