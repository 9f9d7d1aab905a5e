import { SharedRead } from '#libs/platform/database';

import type { EncodedPage } from './encoded-page.js';

type Reading = { readonly run: () => Promise<EncodedPage>; callers: number };

/** Many who ask for the same page share a read of it that begins after they asked. */
export class SharedPages {
  readonly #readings = new Map<string, Reading>();

  /** @param key the same for those who would read the same @throws what `read` throws */
  async read(key: string, read: () => Promise<EncodedPage>): Promise<EncodedPage> {
    const reading = this.#readings.get(key) ?? toReading(read);
    this.#readings.set(key, reading);
    reading.callers++;
    try {
      return await reading.run();
    } finally {
      if (--reading.callers === 0) this.#readings.delete(key);
    }
  }
}

function toReading(read: () => Promise<EncodedPage>): Reading {
  let page: EncodedPage | undefined;
  const shared = new SharedRead(async () => {
    page = await read();
  });
  const run = async (): Promise<EncodedPage> => {
    await shared.run();
    // one that was read still later tells no less
    if (!page) throw new Error('A page was read and is not there');
    return page;
  };
  return { run, callers: 0 };
}
