import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';

export type S3Server = {
  readonly url: string;
  readonly objects: Map<string, Buffer>;
  /** What was refused, and why. */
  readonly refusals: string[];
  /** From now on every request fails, or is answered again. */
  breakDown(isBroken: boolean): void;
  close(): Promise<void>;
};

type Keys = { readonly accessKeyId: string; readonly secretAccessKey: string; readonly region: string };

/**
 * A store in memory that takes PUT, GET and DELETE of objects under `/bucket/key`, and only if they
 * are signed as AWS Signature Version 4 has it: the signature is made again from the request as it
 * came, with nothing of the SDK's.
 */
export async function startS3Server(keys: Keys): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const refusals: string[] = [];
  let isBroken = false;
  const server = createServer((request, response) => {
    void readAll(request).then((body) => {
      const fault = isBroken ? undefined : faultOf(request, body, keys);
      const path = (request.url ?? '').split('?', 1)[0] ?? '';
      if (fault !== undefined) refusals.push(`${request.method} ${path}: ${fault}`);
      if (isBroken || fault !== undefined) {
        response.writeHead(isBroken ? 503 : 403, { 'content-type': 'application/xml' });
        response.end(`<Error><Code>${isBroken ? 'SlowDown' : 'SignatureDoesNotMatch'}</Code></Error>`);
        return;
      }
      if (request.method === 'PUT') objects.set(path, body);
      else if (request.method === 'DELETE') objects.delete(path);
      const found = request.method === 'GET' ? objects.get(path) : Buffer.alloc(0);
      if (found)
        response.writeHead(request.method === 'DELETE' ? 204 : 200, { 'content-type': 'image/webp' }).end(found);
      else response.writeHead(404, { 'content-type': 'application/xml' }).end('<Error><Code>NoSuchKey</Code></Error>');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    objects,
    refusals,
    breakDown: (broken) => {
      isBroken = broken;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const rfc3986 = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * What is wrong with a request's signature (docs.aws.amazon.com, "Signature
 * Version 4"); nothing if it is good.
 */
function faultOf(request: IncomingMessage, body: Buffer, keys: Keys): string | undefined {
  const { authorization = '', 'x-amz-date': date = '', 'x-amz-content-sha256': content } = request.headers;
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (!parts) return 'no signature of version 4';
  const [, keyId, day = '', region = '', names = '', given = ''] = parts;
  if (keyId !== keys.accessKeyId || region !== keys.region) return 'another key or region';
  if (content !== sha256(body)) return 'the digest is not that of the body';
  if (!names.split(';').includes('host')) return 'the host is not signed';
  const url = new URL(request.url ?? '', 'http://s3');
  const query = [...url.searchParams]
    .map(([name, value]) => `${rfc3986(name)}=${rfc3986(value)}`)
    .toSorted()
    .join('&');
  const headers = names
    .split(';')
    .map((name) => `${name}:${String(request.headers[name]).trim().replaceAll(/ +/g, ' ')}\n`);
  const canonical = [request.method, url.pathname, query, headers.join(''), names, content].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', String(date), scope, sha256(canonical)].join('\n');
  const key = ['s3', 'aws4_request'].reduce(
    (signing, part) => hmac(signing, part),
    hmac(hmac(`AWS4${keys.secretAccessKey}`, day), region),
  );
  const expected = hmac(key, toSign);
  return timingSafeEqual(expected, Buffer.from(given, 'hex')) ? undefined : 'the signature is wrong';
}
