/**
 * Decodes every audio format as the program does and as ffmpeg (for some formats sox or opusdec) does, and compares
 * sample by sample: formats and depths × rates, the largest difference over 1, 2 and 6 channels. Writes the table into
 * docs/audio-formats.md.
 *
 * ARCHETONE_BENCH_FORMATS: only formats whose name or depth holds this; the page stays as it is.
 *
 * Needs ffmpeg; sox and opusdec (opus-tools) for some rows, which are left out without them.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ffmpegDecoder } from '../../engine/decode/ffmpeg.ts';
import { findProgram } from '../../engine/decode/find-program.ts';
import { AudioError, decodePcm, encodeWav, type ExternalDecoder } from '../../models/audio/index.ts';
import { Random } from '../../models/numerics/random.ts';

const RATES = [8000, 22_050, 44_100, 48_000, 96_000] as const;
const CHANNELS = [1, 2, 6] as const;
const SECONDS = 0.6;
const PAGE = join(import.meta.dirname, '../../docs/audio-formats.md');
const MARKS = ['<!-- table: begin -->', '<!-- table: end -->'] as const;

interface Format {
  name: string;
  /** Depth or codec. */
  depth: string;
  ending: string;
  /** Arguments of the program that writes it. */
  write: readonly string[];
  writer?: 'ffmpeg' | 'sox';
  /** What decodes for comparison. */
  reference?: 'ffmpeg' | 'sox' | 'opusdec';
}

function family(
  name: string,
  ending: string,
  depths: Readonly<Record<string, readonly string[] | string>>,
  rest: Pick<Format, 'writer' | 'reference'> = {},
): Format[] {
  return Object.entries(depths).map(([depth, codec]) => ({
    name,
    ending,
    depth,
    write: typeof codec === 'string' ? ['-c:a', codec] : codec,
    ...rest,
  }));
}

const integers = { '16 bits': 'pcm_s16be', '24 bits': 'pcm_s24be', '32 bits': 'pcm_s32be' };
const floats = { '32-bit float': 'pcm_f32be', '64-bit float': 'pcm_f64be' };
const telephone = { 'µ-law': 'pcm_mulaw', 'A-law': 'pcm_alaw' };

const formats: readonly Format[] = [
  ...family('WAV', 'wav', {
    '8 bits': 'pcm_u8',
    '16 bits': 'pcm_s16le',
    '24 bits': 'pcm_s24le',
    '32 bits': 'pcm_s32le',
    '32-bit float': 'pcm_f32le',
    '64-bit float': 'pcm_f64le',
    ...telephone,
    'Microsoft ADPCM': 'adpcm_ms',
    mp3: ['-c:a', 'libmp3lame', '-b:a', '128k'],
  }),
  ...family('WAV', 'wav', { 'IMA ADPCM': 'adpcm_ima_wav' }, { reference: 'sox' }),
  ...family('WAV, RF64', 'wav', { '16 bits': ['-rf64', 'always', '-c:a', 'pcm_s16le'] }),
  ...family(
    'WAV, RIFX',
    'wav',
    { '16 bits': ['-t', 'wav', '-B', '-e', 'signed-integer', '-b', '16'] },
    { writer: 'sox', reference: 'sox' },
  ),
  ...family('AIFF', 'aiff', { '8 bits': 'pcm_s8', ...integers }),
  ...family('AIFF-C', 'aifc', {
    '16 bits, sowt': ['-f', 'aiff', '-c:a', 'pcm_s16le'],
    '32-bit float': ['-f', 'aiff', '-c:a', 'pcm_f32be'],
    '64-bit float': ['-f', 'aiff', '-c:a', 'pcm_f64be'],
    'µ-law': ['-f', 'aiff', '-c:a', 'pcm_mulaw'],
    'A-law': ['-f', 'aiff', '-c:a', 'pcm_alaw'],
    'IMA ADPCM': ['-f', 'aiff', '-c:a', 'adpcm_ima_qt'],
  }),
  ...family('AU', 'au', { '8 bits': 'pcm_s8', ...integers, ...floats, ...telephone }),
  ...family('FLAC', 'flac', { '16 bits': 'flac', '24 bits': ['-c:a', 'flac', '-sample_fmt', 's32'] }),
  ...family('FLAC in Ogg', 'oga', { '16 bits': ['-f', 'ogg', '-c:a', 'flac'] }),
  ...family('mp3', 'mp3', {
    'constant rate': ['-c:a', 'libmp3lame', '-b:a', '64k'],
    'variable rate': ['-c:a', 'libmp3lame', '-q:a', '2'],
    'no header': ['-c:a', 'libmp3lame', '-b:a', '64k', '-write_xing', '0', '-id3v2_version', '0'],
  }),
  ...family('MPEG layer II', 'mp2', { '': 'mp2' }),
  ...family('Ogg', 'ogg', { Vorbis: ['-c:a', 'libvorbis', '-q:a', '4'] }),
  ...family('Ogg', 'opus', { 'Opus, 16 kbit/s per channel': 'libopus' }, { reference: 'opusdec' }).map(
    (format) => ({
      ...format,
      write: [...format.write, '-b:a', '16k'],
    }),
  ),
  ...family(
    'Ogg',
    'opus',
    { 'Opus, 96 kbit/s': ['-c:a', 'libopus', '-b:a', '96k'] },
    { reference: 'opusdec' },
  ),
  ...family('Ogg', 'spx', { Speex: ['-f', 'ogg', '-c:a', 'libspeex'] }),
  ...family('MP4', 'm4a', { AAC: ['-c:a', 'aac', '-b:a', '96k'], ALAC: 'alac' }),
  ...family('ADTS', 'aac', { AAC: ['-c:a', 'aac', '-b:a', '96k'] }),
  ...family('Core Audio Format', 'caf', {
    '16 bits': 'pcm_s16be',
    '32-bit float': 'pcm_f32be',
    ALAC: 'alac',
  }),
  ...family('Windows Media', 'wma', { 'version 1': 'wmav1', 'version 2': 'wmav2' }),
  ...family('WavPack', 'wv', {
    '16 bits': ['-c:a', 'wavpack', '-sample_fmt', 's16p'],
    '32 bits': ['-c:a', 'wavpack', '-sample_fmt', 's32p'],
    '32-bit float': ['-c:a', 'wavpack', '-sample_fmt', 'fltp'],
  }),
  ...family('True Audio', 'tta', { '16 bits': ['-c:a', 'tta', '-sample_fmt', 's16'] }),
  ...family('Wave64', 'w64', { '16 bits': 'pcm_s16le', '24 bits': 'pcm_s24le' }),
  ...family('Creative Voice', 'voc', { '8 bits': 'pcm_u8', '16 bits': 'pcm_s16le' }),
  ...family('IRCAM', 'sf', {
    '16 bits': ['-f', 'ircam', '-c:a', 'pcm_s16le'],
    '32-bit float': ['-f', 'ircam', '-c:a', 'pcm_f32le'],
  }),
  ...family('NIST SPHERE', 'sph', { '16 bits': ['-t', 'sph', '-b', '16'] }, { writer: 'sox' }),
  ...family('8SVX', '8svx', { '8 bits': ['-t', '8svx'] }, { writer: 'sox' }),
  ...family('Matroska', 'mka', { FLAC: 'flac', Vorbis: 'libvorbis' }),
  ...family('WebM', 'webm', { Opus: 'libopus' }),
  ...family('AC-3', 'ac3', { '': 'ac3' }),
  ...family('DTS', 'dts', { '': ['-c:a', 'dca', '-strict', '-2'] }),
  ...family('RealAudio', 'rm', { 'AC-3': 'ac3' }),
  ...family('AVI', 'avi', { mp3: 'libmp3lame' }),
];

const execute = promisify(execFile);
const OUTPUT = { maxBuffer: 256 * 2 ** 20, encoding: 'buffer' } as const;

/** Tones and noise, other ones in every channel. */
function signal(rate: number, channels: number): Float32Array[] {
  const random = new Random(7);
  return Array.from({ length: channels }, (_, channel) =>
    Float32Array.from(
      { length: Math.round(SECONDS * rate) },
      (__, i) =>
        0.3 * Math.sin((2 * Math.PI * 330 * (channel + 1) * i) / rate) + 0.1 * (random.uniform() - 0.5),
    ),
  );
}

function interleave(channels: readonly Float32Array[]): Float32Array {
  const count = channels.length;
  const length = channels[0]?.length ?? 0;
  return Float32Array.from(
    { length: length * count },
    (_, i) => channels[i % count]?.[Math.floor(i / count)] ?? 0,
  );
}

/** WAV of 32-bit floats: the header of one channel, told of several. */
function writeSource(path: string, rate: number, channels: number): void {
  const bytes = Buffer.from(encodeWav(interleave(signal(rate, channels)), rate, 'float32'));
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(rate * channels * 4, 28);
  bytes.writeUInt16LE(channels * 4, 32);
  writeFileSync(path, bytes);
}

/** Writes a file of the format; false where the format has no such rate or number of channels. */
async function encode(format: Format, source: string, target: string, rate: number): Promise<boolean> {
  try {
    if (format.writer === 'sox') await execute('sox', [source, ...format.write, target]);
    else
      await execute('ffmpeg', [
        '-v',
        'error',
        '-y',
        '-i',
        source,
        ...format.write,
        '-ar',
        String(rate),
        target,
      ]);
    return true;
  } catch {
    return false;
  }
}

const references: Record<NonNullable<Format['reference']>, (path: string) => Promise<Buffer>> = {
  ffmpeg: async (path) =>
    (await execute('ffmpeg', ['-v', 'quiet', '-i', path, '-map', '0:a:0', '-f', 'f32le', '-'], OUTPUT))
      .stdout,
  sox: async (path) => (await execute('sox', [path, '-t', 'f32', '-L', '-'], OUTPUT)).stdout,
  opusdec: async (path) => {
    const out = `${path}.wav`;
    await execute('opusdec', ['--quiet', '--float', '--rate', '48000', path, out]);
    return references.ffmpeg(out);
  },
};

/** As the program decodes; `own` is false when another program had to. */
async function decode(path: string): Promise<{ channels: Float32Array[]; own: boolean; rate: number }> {
  let own = true;
  const external: ExternalDecoder = (...call) => {
    own = false;
    return ffmpegDecoder(...call);
  };
  const stream = await decodePcm(path, { signal: new AbortController().signal, external });
  const parts: number[][] = Array.from({ length: stream.channels }, () => []);
  for await (const { channelData } of stream.chunks)
    channelData.forEach((samples, channel) => {
      for (const sample of samples) parts[channel]?.push(sample);
    });
  return { channels: parts.map((part) => Float32Array.from(part)), own, rate: stream.sampleRate };
}

/** Vorbis and Opus put the channels of 5.1 in an order of their own (Vorbis I §4.3.9); the others in that of WAV. */
const oggOrder = [0, 2, 1, 5, 3, 4];

interface Outcome {
  difference: number;
  /** Samples more (or fewer) than the reference. */
  longer: number;
  own: boolean;
}

async function measure(
  format: Format,
  folder: string,
  rate: number,
  channels: number,
): Promise<Outcome | null> {
  const [source, target] = [
    join(folder, `source-${rate}-${channels}.wav`),
    join(folder, `file-${rate}-${channels}.${format.ending}`),
  ];
  writeSource(source, rate, channels);
  rmSync(target, { force: true });
  if (!(await encode(format, source, target, rate))) return null;
  // What the other cannot read either is no file of the format.
  const wanted = await references[format.reference ?? 'ffmpeg'](target).catch(() => null);
  if (wanted === null || wanted.length === 0) return null;
  let own: Awaited<ReturnType<typeof decode>>;
  try {
    own = await decode(target);
  } catch (error) {
    if (error instanceof AudioError) return { difference: NaN, longer: 0, own: false };
    throw error;
  }
  const count = own.channels.length;
  const frames = Math.floor(wanted.length / 4 / count);
  const length = own.channels[0]?.length ?? 0;
  let difference = 0;
  const reordered = count === 6 && own.own && ['ogg', 'opus'].includes(format.ending);
  own.channels.forEach((_, channel) => {
    const samples = own.channels[reordered ? (oggOrder[channel] ?? 0) : channel] ?? [];
    for (let i = 0; i < Math.min(frames, length); i++)
      difference = Math.max(
        difference,
        Math.abs((samples[i] ?? 0) - wanted.readFloatLE((i * count + channel) * 4)),
      );
  });
  return { difference, longer: length - frames, own: own.own };
}

function cell(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return '–';
  const worst = Math.max(...outcomes.map(({ difference }) => difference));
  if (Number.isNaN(worst)) return 'refused';
  const longer = outcomes.find((outcome) => outcome.longer !== 0)?.longer ?? 0;
  const text = worst === 0 ? '0' : worst.toExponential(1);
  return longer === 0 ? text : `${text} (${longer > 0 ? '+' : '−'}${Math.abs(longer)})`;
}

async function row(format: Format, folder: string): Promise<string[] | null> {
  const all = await Promise.all(
    RATES.map(async (rate) => {
      const outcomes = await Promise.all(CHANNELS.map((count) => measure(format, folder, rate, count)));
      return outcomes.filter((outcome) => outcome !== null);
    }),
  );
  const [first] = all.flat();
  if (first === undefined) return null;
  const { name, depth, reference = 'ffmpeg' } = format;
  return [name, depth, first.own ? 'own' : 'ffmpeg', reference, ...all.map(cell)];
}

function markdown(rows: readonly (readonly string[])[]): string {
  const head = [
    'format',
    'depth or codec',
    'read by',
    'against',
    ...RATES.map((rate) => `${rate / 1000} kHz`),
  ];
  const widths = head.map((title, i) =>
    Math.max(3, title.length, ...rows.map((cells) => cells[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, i) => (i < 4 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i < 4 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

export async function run(): Promise<void> {
  if ((await findProgram('ffmpeg')) === null) {
    console.log('ffmpeg is not installed: nothing was measured.');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'archetone-formats-'));
  const only = process.env.ARCHETONE_BENCH_FORMATS ?? '';
  const rows: string[][] = [];
  try {
    for (const format of formats) {
      if (!`${format.name} ${format.depth}`.includes(only)) continue;
      const needed = [format.writer, format.reference].filter((name) => name === 'sox' || name === 'opusdec');
      const there = await Promise.all(needed.map((name) => findProgram(name)));
      const cells = there.includes(null) ? null : await row(format, folder);
      console.log(cells?.join('  ') ?? `${format.name} ${format.depth}: not measured`);
      if (cells !== null) rows.push(cells);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (only !== '') return;
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = MARKS.map((mark) => page.indexOf(mark)) as [number, number];
  writeFileSync(PAGE, `${page.slice(0, begin + MARKS[0].length)}\n\n${markdown(rows)}\n\n${page.slice(end)}`);
  console.log(`${rows.length} rows → docs/audio-formats.md`);
}
