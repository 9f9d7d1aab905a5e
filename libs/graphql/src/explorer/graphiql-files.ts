import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { Config } from '#libs/platform/config';

const { resolve } = createRequire(import.meta.url);

/** What the page of GraphiQL is made of, by the names that it asks for, and which file of which package that is. */
const files = {
  'react.js': ['react', 'umd/react.production.min.js'],
  'react-dom.js': ['react-dom', 'umd/react-dom.production.min.js'],
  'graphiql.js': ['graphiql', 'graphiql.min.js'],
  'graphiql.css': ['graphiql', 'graphiql.min.css'],
} as const;

export type GraphiqlFile = keyof typeof files;

/** In development, and only where the packages are: they are no part of a production install. */
export const hasGraphiql = ({ NODE_ENV }: Pick<Config, 'NODE_ENV'>): boolean =>
  NODE_ENV !== 'production' && Object.values(files).every(([name]) => folderOf(name) !== undefined);

/** Whether `/graphql` shows a page to browsers. */
export const showsGraphiql = (config: Pick<Config, 'GRAPHQL' | 'NODE_ENV'>): boolean =>
  config.GRAPHQL !== 'off' && hasGraphiql(config);

/** @throws when the packages are not installed */
export function pathOfGraphiqlFile(name: GraphiqlFile): string {
  const [packageName, path] = files[name];
  const folder = folderOf(packageName);
  if (folder === undefined) throw new Error(`The package ${packageName} is not installed`);
  return join(folder, path);
}

function folderOf(packageName: string): string | undefined {
  try {
    const manifest = resolve(`${packageName}/package.json`);
    return existsSync(manifest) ? dirname(manifest) : undefined;
  } catch {
    return undefined;
  }
}
