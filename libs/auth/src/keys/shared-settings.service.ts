import { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable, Logger } from '@nestjs/common';

import { AuditTrail } from '#libs/security/audit';
import { type Config, CONFIG } from '#libs/platform/config';
import { ReplicaNotifications } from '#libs/platform/database';

import { SettingEntity } from './setting.entity.js';

/** When these differ, replicas refuse the tokens of each other. */
const names = ['ISSUER', 'AUDIENCE'] as const;

type Difference = { readonly name: (typeof names)[number]; readonly here: string; readonly recorded: string };

/** The settings that replicas of one database must share, recorded there by the first of them. */
@Injectable()
export class SharedSettingsService {
  readonly #logger = new Logger('SharedSettings');

  constructor(
    private readonly em: SqlEntityManager,
    private readonly notifications: ReplicaNotifications,
    private readonly audit: AuditTrail,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Records this replica's settings, or holds them against the recorded ones.
   * @throws Error in production when they differ; elsewhere the log says so
   */
  async ensure(): Promise<void> {
    const differences = await this.em.fork().transactional((em) => this.#compare(em));
    if (differences.length === 0) return;
    // an embedded database has one process: nobody can disagree with it
    if (this.notifications.isEmbedded) return void (await this.adopt());
    if (this.config.NODE_ENV === 'production') throw new Error(describe(differences));
    this.#logger.warn({ event: describe(differences) });
  }

  /** Records this replica's settings in place of those there are. @returns what has changed */
  async adopt(): Promise<readonly Difference[]> {
    return this.em.fork().transactional(async (em) => {
      const differences = await this.#compare(em);
      for (const { name, here } of differences) await em.nativeUpdate(SettingEntity, { name }, { value: here });
      if (differences.length > 0) {
        const details = Object.fromEntries(
          differences.map(({ name, here, recorded }) => [name, { from: recorded, to: here }]),
        );
        await this.audit.record({ event: 'settings-changed', details }, 'operator', em);
      }
      return differences;
    });
  }

  async #compare(em: SqlEntityManager): Promise<readonly Difference[]> {
    const own = names.map((name) => ({ name, value: this.config[name] }));
    await em.upsertMany(SettingEntity, own, { onConflictAction: 'ignore' });
    // what was not inserted differs from the entities at hand
    const rows = await em.find(SettingEntity, {}, { disableIdentityMap: true });
    const recorded = new Map(rows.map(({ name, value }) => [name, value]));
    return names.flatMap((name) => {
      const [here, there] = [this.config[name], recorded.get(name) ?? this.config[name]];
      return here === there ? [] : [{ name, here, recorded: there }];
    });
  }
}

function describe(differences: readonly Difference[]): string {
  const each = differences.map(({ name, here, recorded }) => `${name} is ${here} here and ${recorded} there`);
  return [
    'This replica and those that used this database before it would refuse the access tokens of each other:',
    `${each.join(', ')} (where they are not set, PUBLIC_URL is taken).`,
    'Give every replica the same PUBLIC_URL, or the same ISSUER and AUDIENCE.',
    'To change them on purpose, run `npm run cli -- settings adopt` with the new ones and restart every replica.',
  ].join(' ');
}
