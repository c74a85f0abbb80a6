/** Pixels per unit of the picture. */
const SCALE = 2;
/** Side of the largest canvas that every browser engine draws. */
const LARGEST = 16_384;

/** Draws a picture, on white. @returns PNG as base64 @throws Error where it cannot be drawn */
export async function pngOf(svg: string): Promise<string> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const scale = Math.min(SCALE, LARGEST / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(image.naturalWidth * scale);
  canvas.height = Math.round(image.naturalHeight * scale);
  const drawing = canvas.getContext('2d');
  if (!drawing) throw new Error('The picture cannot be drawn.');
  drawing.fillStyle = '#fff';
  drawing.fillRect(0, 0, canvas.width, canvas.height);
  drawing.drawImage(image, 0, 0, canvas.width, canvas.height);
  const url = canvas.toDataURL('image/png');
  return url.slice(url.indexOf(',') + 1);
}
