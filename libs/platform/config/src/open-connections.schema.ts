import { about, integer } from './setting-schemas.js';

/** How much clients may keep open, and when they are sent away. */
export const openConnections = {
  MAX_CONNECTIONS: integer(1, 1_000_000)
    .prefault('10000')
    .meta(about('Connections of clients at a time; for one more the one that waits longest for a request is closed')),
  MAX_CONNECTIONS_PER_ADDRESS: integer(1, 1_000_000)
    .optional()
    .meta(
      about('The same for each address (of IPv6 each /64); proxies of TRUST_PROXY have no limit of their own', {
        preset: 'a tenth of MAX_CONNECTIONS, at least 16',
        example: '1000',
      }),
    ),
  MAX_REVOCATION_STREAMS: integer(0, 1_000_000)
    .optional()
    .meta(
      about('Open streams of the feed of revocations in this process; one more gets 503', {
        preset: 'half of MAX_CONNECTIONS',
        example: '5000',
      }),
    ),
  MAX_LOOP_DELAY_MS: integer(0, 60_000)
    .prefault('1000')
    .meta(about('While the event loop is this late on average, requests other than probes get 503; 0 never')),
};
