import { SqlEntityManager } from '@mikro-orm/sql';
import { vi } from 'vitest';

import type { Gatehouse } from './start-gatehouse.js';

/**
 * Texts of the statements that reach the driver from now on; what runs by the clock is among them.
 */
export async function recordStatements({ app }: Gatehouse): Promise<string[]> {
  const statements: string[] = [];
  const client: any = await app.get(SqlEntityManager).getConnection().getNativeClient();
  const query = client.query.bind(client);
  vi.spyOn(client, 'query').mockImplementation((statement: any, ...rest: unknown[]) => {
    statements.push(typeof statement === 'string' ? statement : statement.text);
    return query(statement, ...rest);
  });
  return statements;
}

/** What the driver answers from now on to statements outside of transactions. */
export async function recordRows({ app }: Gatehouse): Promise<unknown[]> {
  const rows: unknown[] = [];
  const client: any = await app.get(SqlEntityManager).getConnection().getNativeClient();
  const query = client.query.bind(client);
  vi.spyOn(client, 'query').mockImplementation((...asked: unknown[]) =>
    query(...asked).then((answer: any) => {
      rows.push(answer.rows);
      return answer;
    }),
  );
  return rows;
}
