import { configure } from '@testing-library/svelte';

// As `expect.poll` of the other tests (`vitest.config.ts`): how long `waitFor` and `findBy…` wait for what does not come.
configure({ asyncUtilTimeout: 30_000 });
