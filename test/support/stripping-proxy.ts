import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';

export type StrippingProxy = {
  readonly listen: (port: number, target: string) => Promise<void>;
  readonly stop: () => void;
};

/**
 * A reverse proxy that shows a service below a path, as nginx does with `location /auth/ {
 * proxy_pass http://gatehouse/; }`.
 */
export function createStrippingProxy(prefix: string): StrippingProxy {
  let server: Server | undefined;
  return {
    async listen(port, target) {
      server = createServer((incoming, outgoing) => {
        const { url = '', method, headers } = incoming;
        if (!url.startsWith(`${prefix}/`)) {
          outgoing.writeHead(404, { 'content-type': 'text/plain' }).end('not below the prefix');
          return;
        }
        const path = url.slice(prefix.length);
        const upstream = request(`${target}${path}`, { method, headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        });
        incoming.pipe(upstream);
      }).listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    stop: () => {
      server?.close();
      server?.closeAllConnections();
    },
  };
}
