import type { AuditEvent } from '#libs/security/audit';

import type { ServiceView } from './services.schema.js';

const fields = ['description', 'scopes', 'plan', 'status'] as const;
/** Those whose content tells an auditor something; a description may hold anything. */
const shown = ['scopes', 'plan', 'status'] as const;

/** What an audit row says of a change: the names of the fields, and what those that grant something were and are. */
export function changesBetween(before: ServiceView, after: ServiceView): AuditEvent['details'] | undefined {
  const isChanged = (name: (typeof fields)[number]): boolean =>
    JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  const changed = fields.filter(isChanged);
  if (changed.length === 0) return undefined;
  const named = shown.filter(isChanged);
  const pick = (view: ServiceView) => Object.fromEntries(named.map((name) => [name, view[name]]));
  return { changed, ...(named.length > 0 && { from: pick(before), to: pick(after) }) };
}
