import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const beside = (path) => fileURLToPath(new URL(path, import.meta.url));

const { env } = process;

/** Where Gatehouse is, as its own `PUBLIC_URL` says. */
export const issuer = env.GATEHOUSE_URL ?? 'http://127.0.0.1:3000';
export const port = Number(env.PORT ?? 4000);

/** Only tokens for this audience are taken here. */
export const audience = 'https://orders.example.org';
export const permissions = ['orders:read', 'orders:write'];

/** Git does not see this file. */
export const keyFile = env.SERVICE_KEY_FILE ?? beside('service.key');

export const administrator = {
  userName: env.ADMIN_USER_NAME ?? 'admin',
  // Gatehouse's first start keeps the one that it makes there
  password: env.ADMIN_PASSWORD ?? readIfThere(env.ADMIN_PASSWORD_FILE ?? beside('../../data/first-admin-password')),
};

/** @returns the text of a file without the blanks around it; undefined when there is none */
export function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}
