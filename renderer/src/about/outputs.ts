/** The outputs that a sound can be played on; a system that names none has no choice to offer. */
export async function outputs(
  devices: Pick<MediaDevices, 'enumerateDevices'> | undefined,
): Promise<{ id: string; name: string }[]> {
  const all = (await devices?.enumerateDevices().catch(() => [])) ?? [];
  return all
    .filter(({ kind, deviceId }) => kind === 'audiooutput' && deviceId !== '' && deviceId !== 'default')
    .map(({ deviceId, label }, i) => ({ id: deviceId, name: label || `Output ${String(i + 1)}` }));
}
