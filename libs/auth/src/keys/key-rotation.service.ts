import { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { type Actor, AuditTrail } from '#libs/security/audit';
import { type Config, CONFIG } from '#libs/platform/config';
import { type Revocation, RevocationsService, type Revoke } from '#libs/security/revocation';

import { SigningKeysRepository, type TrustedKey } from './signing-keys.repository.js';
import { KeyRing, SigningKeysService } from './signing-keys.service.js';

/**
 * Verifiers may keep the key set for 300 s (`Cache-Control` of jwks.json): a key is published for
 * twice as long before it signs.
 */
const publishedAheadMs = 600_000;
/** Clocks differ, and a lifetime may have been longer before a restart. */
const keptLongerMs = 86_400_000;
const dayMs = 86_400_000;

/** Brings new signing keys in and takes old ones out. */
@Injectable()
export class KeyRotationService {
  constructor(
    private readonly repository: SigningKeysRepository,
    private readonly keys: SigningKeysService,
    private readonly revocations: RevocationsService,
    private readonly audit: AuditTrail,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Adds a key that signs at once, or after all verifiers had time to read it. @returns its id */
  rotate(when: 'at-once' | 'published-ahead', by: Actor): Promise<string> {
    const lead = when === 'at-once' ? 0 : publishedAheadMs;
    return this.#change((em) => this.#add(em, lead, by));
  }

  /**
   * Ends a key and every token that it signed; another one signs from now on.
   * @returns whether there was such a key, not retired yet
   */
  retire(id: string, by: Actor): Promise<boolean> {
    return this.#change(async (em, revoke) => {
      const others = (await this.repository.findTrusted(em)).filter((key) => key.id !== id);
      if (!(await this.#retire(em, revoke, id, { cause: 'key-retired', by }))) return false;
      if (!new KeyRing(others).signing(Date.now())) await this.#add(em, 0, by);
      return true;
    });
  }

  /**
   * For emergencies: ends every token and session. The keys change, so that verifiers see it,
   * and those who read the feed of revocations take everything anew.
   */
  revokeAll(by: Actor): Promise<void> {
    return this.#change(async (em, revoke) => {
      for (const { id } of await this.repository.findTrusted(em)) {
        await this.#retire(em, revoke, id, { cause: 'all-revoked', by });
      }
      await this.#add(em, 0, by);
      await this.repository.deleteSessions(em);
      await this.revocations.renewFeedEpoch(em);
      await this.audit.record({ event: 'all-revoked' }, by, em);
    });
  }

  /** Seals every key under today's master key. @returns how many had to be */
  reseal(): Promise<number> {
    return this.#change((em) => this.repository.reseal(em));
  }

  /** Adds the next key when it is due, and removes outdated ones. @returns how many were removed */
  async rotateIfDue(): Promise<number> {
    const { keys: known } = this.keys.ring;
    if (!this.#isDue(known, Date.now()) && this.#outdated(known, Date.now()).length === 0) return 0;
    return this.#change(async (em) => {
      // another replica may have done it meanwhile, and the clock of this one may be wrong
      const [keys, now] = [await this.repository.findTrusted(em), await this.repository.databaseNowMs(em)];
      if (this.#isDue(keys, now)) await this.#add(em, publishedAheadMs, 'operator');
      const outdated = this.#outdated(keys, now);
      await this.repository.remove(em, outdated);
      return outdated.length;
    });
  }

  async #change<T>(work: (em: SqlEntityManager, revoke: Revoke) => Promise<T>): Promise<T> {
    const result = await this.revocations.transactional(async (em, revoke) => {
      await this.repository.lock(em);
      const value = await work(em, revoke);
      await this.repository.announce(em);
      return value;
    });
    await this.keys.reload();
    return result;
  }

  async #add(em: SqlEntityManager, leadMs: number, by: Actor): Promise<string> {
    const id = await this.repository.add(em, leadMs);
    await this.audit.record({ event: 'key-created', details: { keyId: id } }, by, em);
    return id;
  }

  async #retire(
    em: SqlEntityManager,
    revoke: Revoke,
    id: string,
    { cause, by }: { cause: Revocation['cause']; by: Actor },
  ): Promise<boolean> {
    if (!(await this.repository.retire(em, id))) return false;
    await revoke({ kind: 'key', subject: id, cause });
    await this.audit.record({ event: 'key-retired', details: { keyId: id } }, by, em);
    return true;
  }

  #isDue(keys: readonly TrustedKey[], now: number): boolean {
    const rotationMs = this.config.KEY_ROTATION_DAYS * dayMs;
    // a key from further ahead was made by a wrong clock, and must not delay the next one
    const youngest = keys.findLast(({ signsFromMs }) => signsFromMs <= now + rotationMs);
    return now >= (youngest?.signsFromMs ?? -Infinity) + rotationMs - publishedAheadMs;
  }

  /** A key is outdated when the next one has signed for longer than a token lives. */
  #outdated(keys: readonly TrustedKey[], now: number): string[] {
    const lastNeededMs = this.config.ACCESS_TOKEN_TTL_SECONDS * 1000 + keptLongerMs;
    return keys.slice(0, -1).flatMap(({ id }, index) => {
      const next = keys[index + 1];
      return next && next.signsFromMs + lastNeededMs < now ? [id] : [];
    });
  }
}
