/**
 * The one door to ONNX Runtime. From 1.30 on it writes an identifier of the machine into the user's cache and gathers events
 * there to be sent, unless it is told not to before its first session.
 */
import { env, InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';

process.env['ORT_DISABLE_TELEMETRY'] = '1';

export { env, InferenceSession, listSupportedBackends, Tensor };
