/** A place that sound can be sent to. */
export interface OutputDevice {
  /** As the browser names it. */
  id: string;
  name: string;
}

/** The outputs that a sound can be played on; a system that names none has no choice to offer. */
export async function outputs(
  devices: Pick<MediaDevices, 'enumerateDevices'> | undefined,
): Promise<OutputDevice[]> {
  const all = (await devices?.enumerateDevices().catch(() => [])) ?? [];
  return all
    .filter(({ kind, deviceId }) => kind === 'audiooutput' && deviceId !== '' && deviceId !== 'default')
    .map(({ deviceId, label }, i) => ({ id: deviceId, name: label || `Output ${String(i + 1)}` }));
}

/** Tells the outputs, and again when one is plugged in or out. @returns what ends it */
export function watchOutputs(
  devices: MediaDevices | undefined,
  tell: (found: OutputDevice[]) => void,
): () => void {
  const read = (): void => void outputs(devices).then(tell);
  read();
  devices?.addEventListener('devicechange', read);
  return () => devices?.removeEventListener('devicechange', read);
}
