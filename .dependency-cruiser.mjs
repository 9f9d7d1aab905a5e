// lib → libs it may use. This map is the architecture; a new edge needs an ADR.
const uses = {
  'platform/config': [],
  'platform/errors': [],
  'platform/crypto': [],
  'platform/time': [],
  'platform/logging': ['platform/time'],
  'platform/work-queue': ['platform/errors'],
  'platform/access': ['platform/errors'],
  'platform/personal-data': [],
  'platform/monitoring': [],
  'platform/database': ['platform/config', 'platform/monitoring', 'platform/work-queue'],
  'platform/sealed-keys': ['platform/crypto'],
  'platform/http': [
    'platform/access',
    'platform/config',
    'platform/database',
    'platform/errors',
    'platform/logging',
    'platform/work-queue',
    'platform/monitoring',
  ],
  passwords: ['platform/*'],
  revocation: ['platform/*'],
  audit: ['platform/*'],
  'rate-limits': ['platform/*'],
  idempotency: ['platform/*'],
  // ADR 18: the sessions that a service has begun end with it
  services: ['platform/*', 'audit', 'auth', 'rate-limits', 'revocation'],
  users: ['platform/*', 'passwords', 'rate-limits', 'idempotency', 'revocation', 'audit'],
  auth: ['platform/*', 'passwords', 'rate-limits', 'revocation', 'audit', 'users'],
  avatars: ['platform/*', 'rate-limits', 'audit', 'users'],
  messages: ['platform/*', 'rate-limits', 'idempotency', 'audit', 'users'],
  // users as rows of a file: nobody but apps uses it
  transfer: ['platform/*', 'audit', 'idempotency', 'passwords', 'rate-limits', 'users'],
  graphql: ['platform/*', 'rate-limits', 'idempotency', 'audit', 'services', 'users', 'auth'],
  health: ['platform/*'],
  schema: ['platform/*', 'audit', 'auth', 'avatars', 'idempotency', 'messages', 'revocation', 'services', 'users'],
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
      name: 'libs-know-no-app',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'only-through-index',
      comment: 'Import a lib as #libs/<name>; what it does not export is its own business.',
      severity: 'error',
      from: { path: '^(libs/(?:platform/)?[^/]+)/', pathNot: '\\.spec\\.ts$' },
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
