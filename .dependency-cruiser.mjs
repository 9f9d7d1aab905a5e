// lib → libs it may use. This map is the architecture; a new edge needs an ADR.
export const uses = {
  'platform/config': [],
  'platform/errors': [],
  'platform/crypto': [],
  'platform/contract': ['platform/errors'],
  'platform/logging': ['platform/contract'],
  'platform/queues': ['platform/errors'],
  // ADR 29: which roles need a second factor
  'platform/access': ['platform/config', 'platform/errors'],
  'platform/personal-data': [],
  'platform/monitoring': [],
  'platform/database': ['platform/config', 'platform/monitoring', 'platform/queues'],
  'platform/sealed-keys': ['platform/crypto'],
  'platform/http': [
    'platform/access',
    'platform/config',
    'platform/database',
    'platform/errors',
    'platform/logging',
    'platform/queues',
    'platform/monitoring',
  ],
  'platform/idempotency': ['platform/*'],
  'platform/outbox': [
    'platform/crypto',
    'platform/database',
    'platform/errors',
    'platform/monitoring',
    'platform/personal-data',
  ],
  'platform/pictures': ['platform/*'],
  'security/passwords': ['platform/*'],
  'security/revocation': ['platform/*'],
  'security/audit': ['platform/*'],
  'security/rate-limits': ['platform/*'],
  // ADR 28: what people are told by mail; addresses that refuse it are recorded
  mail: ['platform/*', 'security/audit'],
  // ADR 26: what a token says of roles
  roles: ['platform/*', 'security/*'],
  // ADR 18: the sessions that a service has begun end with it
  services: ['platform/*', 'security/*', 'auth'],
  // ADR 26: the roles that users may be given
  users: ['platform/*', 'security/*', 'roles'],
  auth: ['platform/*', 'security/*', 'mail', 'roles', 'users'],
  messages: ['platform/*', 'security/*', 'users'],
  // ADR 29: accounts that somebody else has prepared
  invitations: ['platform/*', 'security/*', 'mail', 'roles', 'users'],
  // ADR 29: the pages for people, all of one make
  pages: ['platform/*', 'security/*', 'mail', 'auth', 'invitations', 'messages'],
  // users as rows of a file: nobody but apps uses it
  'user-import': ['platform/*', 'security/*', 'users'],
  graphql: ['platform/*', 'security/*', 'roles', 'services', 'users', 'auth', 'invitations'],
  health: ['platform/*'],
  migrations: ['platform/*', 'security/*', 'auth', 'invitations', 'mail', 'messages', 'roles', 'services', 'users'],
  metrics: ['platform/*'],
};

const folder = (lib) => `^libs/${lib.replace('*', '[^/]+')}/`;

const libRules = Object.entries(uses).map(([lib, allowed]) => ({
  name: `lib-${lib.replace('/', '-')}`,
  comment: `${lib} may use only: ${allowed.join(', ') || 'nothing'}. A new edge needs an ADR and a line in this map.`,
  severity: 'error',
  from: { path: folder(lib) },
  to: { path: '^libs/', pathNot: [lib, ...allowed].map(folder) },
}));

export default {
  forbidden: [
    ...libRules,
    {
      name: 'no-circular',
      comment: 'Two files that need each other are one, or need a third. Types alone may point back.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'folders-run-one-way',
      comment:
        'Inside a lib, a folder that needs another must not be needed by it, not even for a type. Files beside the folders ' +
        'wire them together and do not count.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^(libs/.+/src)/.+' },
      to: { circular: true, path: '^$1/.+' },
    },
    {
      name: 'the-verifier-stands-alone',
      comment: 'packages/verifier is published: it imports nothing of the rest.',
      severity: 'error',
      from: { path: '^packages/verifier/' },
      to: { path: '^(libs|apps|test|scripts)/' },
    },
    {
      name: 'examples-are-strangers',
      comment: 'What is in examples/ uses what is published, by its published name.',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^(libs|apps|test|scripts|packages/[^/]+/src)/' },
    },
    {
      name: 'revocations-are-one-piece-of-code',
      comment:
        'The service takes the table of revocations from the verifier, through security/revocation; no lib takes more.',
      severity: 'error',
      from: { path: '^libs/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^packages/', pathNot: '^packages/verifier/src/revocations/index\\.ts$' },
    },
    {
      name: 'libs-know-no-app',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'only-through-index',
      comment: 'Import a lib as #libs/<name>; what it does not export is its own business.',
      severity: 'error',
      from: { path: '^(libs/(?:(?:platform|security)/)?[^/]+)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^libs/', pathNot: ['^$1/', '/src/index\\.ts$'] },
    },
    {
      name: 'controllers-know-no-orm',
      severity: 'error',
      from: { path: '\\.controller\\.ts$' },
      to: { path: 'node_modules/@mikro-orm|\\.(entity|repository)\\.ts$' },
    },
    {
      name: 'production-needs-no-dev-dependency',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
