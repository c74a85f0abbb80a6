/** Containers that this program recognises and leaves to a system ffmpeg. */

function ascii(bytes: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + length));
}

function starts(...magics: string[]): (head: Uint8Array) => boolean {
  return (head) => magics.some((magic) => ascii(head, 0, magic.length) === magic);
}

/** Packets of 188 bytes, behind four bytes of time on discs, each of which begins with 0x47 (ISO/IEC 13818-1 §2.4.3.2). */
function isTransportStream(head: Uint8Array): boolean {
  return [
    [0, 188],
    [4, 192],
  ].some(([start = 0, step = 0]) => [0, 1, 2].every((packet) => head[start + packet * step] === 0x47));
}

const containers = {
  matroska: { name: 'Matroska or WebM', matches: starts('\x1aE\xdf\xa3') },
  wma: { name: 'Windows Media', matches: starts('0&\xb2u\x8ef\xcf\x11') },
  caf: { name: 'Core Audio Format', matches: starts('caff') },
  ape: { name: 'Monkey’s Audio', matches: starts('MAC ', 'MACF') },
  wavpack: { name: 'WavPack', matches: starts('wvpk') },
  musepack7: { name: 'Musepack', matches: starts('MP+') },
  musepack8: { name: 'Musepack', matches: starts('MPCK') },
  tta: { name: 'True Audio', matches: starts('TTA1', 'TTA2') },
  tak: { name: 'TAK', matches: starts('tBaK') },
  shorten: { name: 'Shorten', matches: starts('ajkg') },
  dsf: { name: 'DSD', matches: starts('DSD ') },
  dff: { name: 'DSD', matches: starts('FRM8') },
  amr: { name: 'AMR', matches: starts('#!AMR') },
  w64: { name: 'Wave64', matches: starts('riff\x2e\x91\xcf\x11') },
  voc: { name: 'Creative Voice', matches: starts('Creative Voice File\x1a') },
  sphere: { name: 'NIST SPHERE', matches: starts('NIST_1A') },
  ircam: { name: 'IRCAM', matches: starts('\x64\xa3\x01\x00', '\x64\xa3\x02\x00', '\x00\x01\xa3\x64') },
  ac3: { name: 'AC-3', matches: starts('\x0b\x77') },
  dts: { name: 'DTS', matches: starts('\x7f\xfe\x80\x01', '\xfe\x7f\x01\x80') },
  realaudio: { name: 'RealAudio', matches: starts('.RMF', '.ra\xfd') },
  '8svx': {
    name: '8SVX',
    matches: (head: Uint8Array) => ascii(head, 0, 4) === 'FORM' && ascii(head, 8, 4) === '8SVX',
  },
  flv: { name: 'Flash Video', matches: starts('FLV\x01') },
  mpegps: { name: 'MPEG video', matches: starts('\0\0\x01\xba') },
  mpegts: { name: 'an MPEG transport stream', matches: isTransportStream },
  avi: {
    name: 'AVI',
    matches: (head: Uint8Array) => ascii(head, 0, 4) === 'RIFF' && ascii(head, 8, 4) === 'AVI ',
  },
} as const satisfies Record<string, { name: string; matches: (head: Uint8Array) => boolean }>;

/** See above. */
export type ForeignContainer = keyof typeof containers;

/** Files that are music to no decoder, so that the message can name them. */
const notAudio: readonly [name: string, matches: (head: Uint8Array) => boolean][] = [
  ['MIDI (notes, not sound)', starts('MThd')],
  ['PDF', starts('%PDF')],
  ['a ZIP archive', starts('PK\x03\x04')],
  ['a picture', starts('\x89PNG', 'GIF8', '\xff\xd8\xff\xe0', '\xff\xd8\xff\xe1')],
  ['a web page', starts('<!DOCTYPE', '<!doctype', '<html', '<HTML')],
];

/** The container that begins with `head`, and its name for people; null for none of them. */
export function foreignContainer(head: Uint8Array): { container: ForeignContainer; name: string } | null {
  for (const [container, { name, matches }] of Object.entries(containers)) {
    if (matches(head)) return { container: container as ForeignContainer, name };
  }
  return null;
}

/** What a file is that is no audio, or null when it is not known. */
export function otherKind(head: Uint8Array): string | null {
  return notAudio.find(([, matches]) => matches(head))?.[0] ?? null;
}
