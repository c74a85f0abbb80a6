/** Opens a session and computes nothing. Argument: a graph. */
import { InferenceSession } from '../../models/onnx/runtime.ts';

await InferenceSession.create(process.argv[2] ?? '');
