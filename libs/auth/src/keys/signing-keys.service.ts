import type { KeyObject } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { WrongMasterKeyError } from '#libs/platform/crypto';
import { type ChangeView, ReplicaNotifications, SharedRead } from '#libs/platform/database';
import { ReadinessChecks } from '#libs/platform/monitoring';

import type { JwkSet } from './keys.schema.js';
import { keysTopic, SigningKeysRepository, type TrustedKey } from './signing-keys.repository.js';

/** An unknown key id may be a new key's. Strangers must not make us look for each of theirs. */
const reloads = { limit: 5, windowMs: 10_000 };

/** The keys of a moment, oldest first. Pure: which key signs depends on the given time alone. */
export class KeyRing {
  readonly #byId: ReadonlyMap<string, TrustedKey>;

  constructor(readonly keys: readonly TrustedKey[]) {
    this.#byId = new Map(keys.map((key) => [key.id, key]));
  }

  /**
   * The youngest key whose time has come, or the oldest when none has: a clock may be wrong. Only
   * keys that this replica can open sign.
   */
  signing(nowMs: number): TrustedKey | undefined {
    const opened = this.keys.filter(({ privateKey }) => privateKey);
    return opened.findLast(({ signsFromMs }) => signsFromMs <= nowMs) ?? opened[0];
  }

  /** Ids of the keys that this replica cannot open. */
  get sealed(): readonly string[] {
    return this.keys.filter(({ privateKey }) => !privateKey).map(({ id }) => id);
  }

  verifying(id: string): KeyObject | undefined {
    return this.#byId.get(id)?.publicKey;
  }

  /** JWK set (RFC 7517) of every key that has signed, signs or will sign. */
  jwks(): JwkSet {
    return {
      keys: this.keys.map(({ id, publicJwk }) => ({ ...publicJwk, kid: id, use: 'sig', alg: 'ES256' })),
    };
  }
}

/** The keys that sign and verify, in memory; the same on every replica. */
@Injectable()
export class SigningKeysService implements OnModuleInit {
  readonly #logger = new Logger('SigningKeys');
  #ring = new KeyRing([]);
  #view: ChangeView | undefined;
  readonly #reads = new SharedRead(() => this.#read());
  #window = { startedAtMs: -Infinity, count: 0 };

  constructor(
    private readonly repository: SigningKeysRepository,
    private readonly notifications: ReplicaNotifications,
    private readonly em: SqlEntityManager,
    private readonly checks: ReadinessChecks,
  ) {}

  onModuleInit(): void {
    const view = this.notifications.subscribe(keysTopic, { catchUp: () => this.reload() });
    this.#view = view;
    this.checks.register('keys', () => this.#ring.signing(Date.now()) !== undefined && view.isReady);
  }

  get ring(): KeyRing {
    return this.#ring;
  }

  /** Makes the first key if there is none. @throws WrongMasterKeyError when no key can be opened */
  async ensure(): Promise<void> {
    await this.reload();
    if (this.#ring.signing(Date.now())) return;
    // a key of our own beside them would hide that the master key is the wrong one
    if (this.#ring.keys.length > 0)
      throw new WrongMasterKeyError('Every signing key was sealed under another master key');
    await this.em.fork().transactional(async (em) => {
      await this.repository.lock(em);
      if ((await this.repository.findTrusted(em)).length > 0) return;
      await this.repository.add(em, 0);
      await this.repository.announce(em);
    });
    await this.reload();
  }

  /**
   * The key of a token's `kid`. When it is not known, the table is read again, within `reloads`.
   * @throws the error of the database
   */
  async find(id: string): Promise<KeyObject | undefined> {
    const known = this.#ring.verifying(id);
    if (known || !this.#mayReload()) return known;
    await this.reload();
    return this.#ring.verifying(id);
  }

  reload(): Promise<void> {
    return this.#reads.run();
  }

  /** Call it before a key signs: it may have been retired and this replica not have heard of it. */
  makeFresh(): Promise<void> | undefined {
    return this.#view?.isFresh === true ? undefined : this.reload();
  }

  async #read(): Promise<void> {
    const ring = new KeyRing(await this.repository.findTrusted());
    if (ring.sealed.some((id) => !this.#ring.sealed.includes(id))) this.#logger.warn(describeSealed(ring));
    this.#ring = ring;
  }

  #mayReload(): boolean {
    const now = performance.now();
    if (now - this.#window.startedAtMs > reloads.windowMs) this.#window = { startedAtMs: now, count: 0 };
    return ++this.#window.count <= reloads.limit;
  }
}

function describeSealed(ring: KeyRing): object {
  const own = ring.signing(Date.now());
  const signs = own ? `signs with ${own.id}` : 'cannot sign: logins get 503';
  const event = `keys sealed under another master key: this replica verifies with them and ${signs}. Give it that master key, and its own as MASTER_KEY_PREVIOUS`;
  return { event, keyIds: ring.sealed };
}
