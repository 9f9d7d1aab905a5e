import { configSchema } from './config.schema.js';

/** The text of `.env.example`: every variable with its meaning and default, all commented out. */
export function renderEnvExample(): string {
  const blocks = Object.entries(configSchema.shape).map(([name, schema]) => {
    const meta = schema.meta() ?? {};
    const parsed = schema.safeParse(undefined);
    const preset = text(meta['preset']) ?? (parsed.success ? text(parsed.data) : undefined) ?? 'none';
    const secret = meta['secret'] === true ? ` Or ${name}_FILE=/path/to/file.` : '';
    return `# ${text(meta['description'])}. Default: ${preset}.${secret}\n#${name}=${text(meta['example']) ?? (parsed.success ? (text(parsed.data) ?? '') : '')}\n`;
  });
  return `# Made from libs/platform/config by \`npm run generate\`; a test keeps it true. Copy to .env and edit.\n\n${blocks.join('\n')}`;
}

function text(value: unknown): string | undefined {
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isScalar ? String(value) : undefined;
}
