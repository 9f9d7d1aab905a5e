import { Connection, meRequest } from './connection.ts';
import type { Server } from './replica.ts';

/** An ended token is refused everywhere by then. */
const endsWithinMs = 1_000;

/** So many of the last good and the last ended tokens are asked for after each step. */
const recent = 8;

type Ended = { readonly label: string; readonly untilMs: number };

/** Which access tokens are good and which are ended, and whether every replica says the same. */
export class TrustBoard {
  readonly #good = new Map<string, string>();
  readonly #ended = new Map<string, Ended>();
  /** Refused while steps ran: wrong, unless a step that was under way ended them. */
  readonly #suspects = new Map<string, string>();
  readonly wrong: string[] = [];
  accepted = 0;
  refused = 0;
  /** How long after the answer that ended a token it was accepted last; 0 when it never was. */
  lastAcceptMs = 0;

  /** @param label says what the token is in a complaint */
  good(label: string, ...tokens: readonly string[]): void {
    for (const token of tokens) this.#good.set(token, label);
  }

  /** Call it when the request that ends them has been answered. */
  ended(label: string, ...tokens: readonly string[]): void {
    for (const token of tokens) {
      this.#good.delete(token);
      this.#ended.set(token, { label, untilMs: performance.now() + endsWithinMs });
    }
  }

  /** Ends all that are good. */
  allEnded(label: string): void {
    this.ended(label, ...this.#good.keys());
  }

  /** Asks every replica for every token. Call it while no step is under way. */
  async checkAll(servers: readonly Server[]): Promise<void> {
    await this.#check(servers, Number.POSITIVE_INFINITY);
    for (const [token, complaint] of this.#suspects) if (this.#good.has(token)) this.wrong.push(complaint);
    this.#suspects.clear();
  }

  /** Asks every replica for the tokens that were made or ended last. */
  checkRecent(servers: readonly Server[]): Promise<void> {
    return this.#check(servers, recent);
  }

  async #check(servers: readonly Server[], count: number): Promise<void> {
    await Promise.all(servers.map((server) => this.#checkAt(server, count)));
  }

  async #checkAt(server: Server, count: number): Promise<void> {
    const connection = await Connection.open(server.port);
    const ask = async (token: string): Promise<number> => (await connection.send(meRequest(token))).status;
    for (const [token, ended] of [...this.#ended].slice(-count).toReversed()) {
      let status = await ask(token);
      while (status !== 401 && performance.now() < ended.untilMs) {
        this.lastAcceptMs = Math.max(this.lastAcceptMs, performance.now() - ended.untilMs + endsWithinMs);
        status = await ask(token);
      }
      if (status === 401) this.refused++;
      else this.wrong.push(`${ended.label}: ${status} at ${server.url}, though ended`);
    }
    for (const [token, label] of [...this.#good].slice(-count)) {
      const status = await ask(token);
      if (status === 200) this.accepted++;
      else this.#suspects.set(token, `${label}: ${status} at ${server.url}, though good`);
    }
    connection.close();
  }
}
