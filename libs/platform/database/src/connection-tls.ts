import { readFile } from 'node:fs/promises';
import { connect as openSocket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

import type { DatabaseHost, DatabaseTarget } from '#libs/platform/config';

/** Node's `tls` calls this with the host; libpq's `verify-ca` looks at the chain alone. */
const anyName = (): undefined => undefined;

/**
 * What a connection to this host is protected by; false for none. @throws when files cannot be read
 */
export async function connectionTls(
  target: DatabaseTarget,
  host: DatabaseHost,
  timeoutMs: number,
): Promise<ConnectionOptions | false> {
  return (await wantsTls(target, host, timeoutMs)) ? tlsOptions(target, host.host) : false;
}

/** `prefer` is TLS when the server has it, and so is `allow`: nobody is worse off for it. */
async function wantsTls({ tls }: DatabaseTarget, host: DatabaseHost, timeoutMs: number): Promise<boolean> {
  if (tls.mode === 'disable' || host.host.startsWith('/')) return false;
  if (tls.mode !== 'prefer' && tls.mode !== 'allow') return true;
  return offersTls(host, timeoutMs);
}

/** PostgreSQL's SSLRequest: the server answers with one byte. */
function offersTls({ host, port }: DatabaseHost, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = openSocket({ host, port, timeout: timeoutMs });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail);
    socket.once('timeout', () => fail(new Error('the server did not answer in time')));
    socket.once('end', () => fail(new Error('the server closed the connection')));
    socket.once('connect', () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
    socket.once('data', ([answer]) => {
      socket.destroy();
      resolve(answer === 'S'.charCodeAt(0));
    });
  });
}

/**
 * Certificates are read for each connection: those that live for hours are replaced without a
 * restart.
 */
async function tlsOptions({ tls }: DatabaseTarget, host: string): Promise<ConnectionOptions> {
  const isVerified = tls.mode === 'verify-ca' || tls.mode === 'verify-full';
  const [ca, cert, key] = await Promise.all([
    textOf('sslrootcert', tls.rootCertificate),
    textOf('sslcert', tls.certificate),
    textOf('sslkey', tls.key),
  ]);
  return {
    rejectUnauthorized: isVerified,
    // Node compares an address with the certificate only when it is told it; else it would look for
    // "localhost"
    host,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert, key }),
    ...(tls.mode === 'verify-ca' && { checkServerIdentity: anyName }),
  };
}

async function textOf(name: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new Error(`${name} names a file that cannot be read`);
  }
}
