import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { Config } from '#libs/platform/config';

const { resolve } = createRequire(import.meta.url);

/** What the page of GraphiQL loads: for each name the package and the path in it. */
const files: ReadonlyMap<string, readonly [packageName: string, path: string]> = new Map([
  ['react.js', ['react', 'umd/react.production.min.js']],
  ['react-dom.js', ['react-dom', 'umd/react-dom.production.min.js']],
  ['graphiql.js', ['graphiql', 'graphiql.min.js']],
  ['graphiql.css', ['graphiql', 'graphiql.min.css']],
]);

export const graphiqlFiles: string[] = [...files.keys()];

/** In development, when the packages are installed: a production install does not have them. */
export const hasGraphiql = ({ NODE_ENV }: Pick<Config, 'NODE_ENV'>): boolean =>
  NODE_ENV !== 'production' && graphiqlFiles.every((name) => pathOfGraphiqlFile(name) !== undefined);

/** Whether `/graphql` shows a page to browsers. */
export const showsGraphiql = (config: Pick<Config, 'GRAPHQL' | 'NODE_ENV'>): boolean =>
  config.GRAPHQL !== 'off' && hasGraphiql(config);

/** `undefined` when there is no such file, or when its package is not installed. */
export function pathOfGraphiqlFile(name: string): string | undefined {
  const [packageName, path] = files.get(name) ?? [];
  if (packageName === undefined || path === undefined) return undefined;
  try {
    return join(dirname(resolve(`${packageName}/package.json`)), path);
  } catch {
    return undefined;
  }
}
