/**
 * ONNX Runtime for whoever rarely needs it: it is loaded when it is asked for first. Told what `runtime.ts` tells it, before its
 * first session.
 */
export async function lateRuntime(): Promise<typeof import('onnxruntime-node')> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  return import('onnxruntime-node');
}
