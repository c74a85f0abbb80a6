/** What the codes of MediaError mean (HTML Standard, 4.8.11.1), for people: its messages are for those who make browsers. */
const reasons: Readonly<Record<number, string>> = {
  2: 'it could not be read to its end',
  3: 'the file is damaged',
  4: 'the file could not be opened',
};

/** Why a sound could not be played, as the end of a sentence. */
export function whyNotPlayed(error: Pick<MediaError, 'code'> | null): string {
  return (error && reasons[error.code]) ?? 'the sound could not be read';
}
