import { EngineError } from '../../wire/errors.ts';

export interface Address {
  /** `host:port` */
  host: string;
  encrypted: boolean;
  user: string | null;
  password: string | null;
}

/** @throws EngineError `bad-input` */
export function address(text: string): Address {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `nats://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  if (url === null || !['nats:', 'tls:'].includes(url.protocol) || url.hostname === '')
    throw notAnAddress(text);
  const plain = (part: string): string | null => {
    try {
      return part === '' ? null : decodeURIComponent(part);
    } catch {
      throw notAnAddress(text);
    }
  };
  return {
    host: `${url.hostname}:${url.port === '' ? '4222' : url.port}`,
    encrypted: url.protocol === 'tls:',
    user: plain(url.username),
    password: plain(url.password),
  };
}

/** The address of a queue as it may be shown: without the name and the password in it. @throws EngineError `bad-input` */
export function withoutLogin(server: string): string {
  return server
    .split(',')
    .map((each) => address(each.trim()))
    .map(({ host, encrypted }) => `${encrypted ? 'tls' : 'nats'}://${host}`)
    .join(',');
}

export function notAnAddress(text: string): EngineError {
  return new EngineError(
    'bad-input',
    // What stands before the @ is nobody's business, also where it is no name and password.
    `“${text.replace(/^([a-z]+:\/\/)?.*@/is, '$1…@')}” is no address of a queue.`,
    'It looks like this: nats://host:4222, or tls://host:4222.',
  );
}
