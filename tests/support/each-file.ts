import { afterAll, beforeAll } from 'vitest';
import { tidyUp } from './after-file.ts';
import { setLoading } from './shared.ts';

// Vitest runs this anew for every test file, before it reads the file.
setLoading(true);
beforeAll(() => setLoading(false));
afterAll(tidyUp);
