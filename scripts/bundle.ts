import { dirname, posix, relative, resolve, sep } from 'node:path';

import { rolldown, type Plugin } from 'rolldown';

const dist = resolve('dist');
/** In place of what swc has written: everybody starts the programs by these paths. */
const programs = ['apps/api/src/main', 'apps/cli/src/main'];

/** Stays in node_modules: native code, files that are read, what is loaded only when asked for. */
const external = [
  /^@node-rs\//,
  /^sharp$/,
  /^@electric-sql\//,
  /^swagger-ui-dist/,
  /^@opentelemetry\//,
  /^@fastify\/otel$/,
  /^@aws-sdk\//,
  /^pino-pretty$/,
  /^thread-stream$/,
];
/** Packages that ours would use if they were installed, and ask for in a `try`. */
const optional = [
  /^pg-native$/,
  /^class-(?:transformer|validator)/,
  /^@nestjs\/(?:microservices|platform-express|websockets)/,
  /^@fastify\/(?:multipart|static|view)$/,
  /^@apollo\/(?:gateway|subgraph)/,
  /^@as-integrations\/express5$/,
  /^ts-morph$/,
];

/** A module goes on finding the files beside it: its URL stays that of its own file in dist. */
const ownUrls: Plugin = {
  name: 'own-urls',
  transform(code, id) {
    if (!id.startsWith(dist) || !code.includes('import.meta.url')) return undefined;
    const own = relative(dist, id).replaceAll(sep, posix.sep);
    return code.replaceAll('import.meta.url', `new URL('<dist>/${own}', import.meta.url).href`);
  },
  renderChunk: (code, { fileName }) => code.replaceAll('<dist>', posix.relative(dirname(fileName), '.') || '.'),
};

/**
 * Bundles the service and the operator's commands with what they import: Node reads 40 files where
 * it would read 2,400, which is most of a start (docs/adr/0031-bundled-programs.md).
 * @throws when something is neither bundled nor in one of the lists
 */
export async function bundle(): Promise<void> {
  const build = await rolldown({
    input: Object.fromEntries(programs.map((name) => [name, `dist/${name}.js`])),
    platform: 'node',
    external: [...external, ...optional],
    plugins: [ownUrls],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`${log.code}: ${log.message}`);
    },
  });
  await build.write({
    dir: 'dist',
    format: 'esm',
    // names of classes stand in the log
    keepNames: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'bundle/[name]-[hash].js',
  });
  await build.close();
}
