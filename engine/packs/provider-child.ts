/** Entry of the process in which a provider is measured: a forked Node process or an Electron utility process. */
import { measureProvider } from '../../models/packs/provider-measure.ts';
import { serve } from '../wire/serve.ts';
import { insideProcess } from '../wire/transports/utility-process.ts';
import { providerContract } from './provider-contract.ts';

serve(insideProcess(), providerContract, { measure: (request) => measureProvider(request) });
