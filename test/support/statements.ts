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
