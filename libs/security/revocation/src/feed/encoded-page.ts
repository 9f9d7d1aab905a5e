import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const gzipAsync = promisify(gzip);
/** What is shorter fits into one packet anyway. */
const worthBytes = 1_024;

/** An answer as the bytes that are sent, made once for all who get it. */
export class EncodedPage {
  readonly #identity: Buffer;
  #gzip: Promise<Buffer> | undefined;
  byteLength: number;

  constructor(body: object) {
    this.#identity = Buffer.from(JSON.stringify(body));
    this.byteLength = this.#identity.byteLength;
  }

  /** Once, and not on the event loop. */
  async compress(): Promise<void> {
    if (this.#identity.byteLength < worthBytes || this.#gzip) return;
    this.#gzip = gzipAsync(this.#identity);
    this.byteLength += (await this.#gzip).byteLength;
  }

  /** @param accepted value of `Accept-Encoding` */
  async as(accepted: string | undefined): Promise<{ readonly bytes: Buffer; readonly coding?: 'gzip' }> {
    if (!takesGzip(accepted)) return { bytes: this.#identity };
    await this.compress();
    return this.#gzip ? { bytes: await this.#gzip, coding: 'gzip' } : { bytes: this.#identity };
  }
}

/** RFC 9110 §12.5.3: what is named wins over `*`; nothing of a weight of 0 is taken. */
function takesGzip(accepted = ''): boolean {
  const weights = new Map(accepted.split(',').map(toWeight));
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0;
}

function toWeight(part: string): [coding: string, weight: number] {
  const [coding = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
  return [coding, Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1)];
}
