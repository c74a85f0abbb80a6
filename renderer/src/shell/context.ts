import { getContext } from 'svelte';
import type { LibrarySession } from '../session/library-session.svelte.ts';
import type { App } from './app.svelte.ts';

export const appContext = Symbol('app');

/** The state of the window, for components. */
export function useApp(): App {
  return getContext<App>(appContext);
}

/**
 * The open library, for components of its views: they are made anew for every session, so what they hold never
 * belongs to another one.
 */
export function useSession(): LibrarySession {
  const { session } = useApp();
  if (!session) throw new Error('no library is open');
  return session;
}
