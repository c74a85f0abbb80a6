/** Entry of an embedder process. ONNX Runtime computes on its only JavaScript thread; a thread beside it watches memory. */
import { enterHelper } from '../helpers/enter.ts';
import { serveEmbedder } from './serve.ts';

const { port, confinement } = await enterHelper();
serveEmbedder(port, confinement);
