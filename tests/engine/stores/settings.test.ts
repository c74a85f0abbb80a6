import { describe, expect, it } from 'vitest';
import { storeSettings } from '../../../engine/stores/settings.ts';

describe('the address of a Qdrant server', () => {
  it.each([
    ['qdrant://localhost/music', 'http://localhost:6333'],
    ['qdrant://127.0.0.1:7000/a.b-c_1', 'http://127.0.0.1:7000'],
    ['qdrant://[::1]:7000/music', 'http://[::1]:7000'],
    ['qdrant://store.example.org/music', 'https://store.example.org:6333'],
    ['qdrant://127.0.0.1.example.org:80/music', 'https://127.0.0.1.example.org:80'],
  ])('%s is %s', (address, origin) => {
    expect(storeSettings(address)).toMatchObject({ kind: 'qdrant', origin, key: null });
  });

  it.each([
    'music',
    'https://localhost/music',
    'qdrant://localhost',
    'qdrant://localhost/',
    'qdrant:///music',
    'qdrant://localhost/a/b',
    'qdrant://localhost/..',
    'qdrant://localhost/a?b',
    'qdrant://localhost/a%2fb',
    'qdrant://me:secret@localhost/music',
  ])('%s is none', (address) => {
    expect(() => storeSettings(address)).toThrow();
  });

  it('takes no key that would be another header, and no certificate that would be left aside', () => {
    expect(() => storeSettings('qdrant://localhost/music', { key: 'a\r\nhost: b' })).toThrow('key');
    expect(() => storeSettings('qdrant://localhost/music', { tlsCa: 'ca.pem' })).toThrow('--tls-ca');
  });
});

describe('the address of a PostgreSQL table', () => {
  const plain = { kind: 'postgres', user: null, password: null, encrypted: false, tlsCa: null };
  it.each([
    ['postgres://localhost/db/music', { host: 'localhost', port: 5432, database: 'db', table: 'music' }],
    ['postgresql://[::1]:7/a%20b/c-d_1', { host: '::1', port: 7, database: 'a b', table: 'c-d_1' }],
    ['postgres://me:a%2Fb@127.0.0.1/db/t', { user: 'me', password: 'a/b', database: 'db', table: 't' }],
    ['postgres://db.example.org/db/t', { host: 'db.example.org', encrypted: true }],
    ['postgres://127.0.0.1.example.org/db/t', { encrypted: true }],
  ])('%s is read', (address, read) => {
    expect(storeSettings(address)).toMatchObject({ ...plain, ...read });
  });

  it('takes a password from beside the address, and shows a certificate by TLS also on this machine', () => {
    const address = 'postgres://anna@localhost/db/t';
    expect(storeSettings(address, { key: 'p', tlsCa: 'ca.pem' })).toMatchObject({
      ...{ user: 'anna', password: 'p', encrypted: true, tlsCa: 'ca.pem' },
    });
  });

  it.each([
    'postgres://localhost/db',
    'postgres://localhost/db/',
    'postgres:///db/t',
    'postgres://localhost/db/t/more',
    'postgres://localhost/db/t?sslmode=disable',
    'postgres://localhost/db/t%22;drop',
    `postgres://localhost/db/${'t'.repeat(49)}`,
    'postgres://localhost/d%00b/t',
    'postgres://localhost/%/t',
    'postgres://a%0ab@localhost/db/t',
  ])('%s is none', (address) => {
    expect(() => storeSettings(address)).toThrow();
  });
});
