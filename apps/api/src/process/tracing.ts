import type { Span } from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';

/** OpenTelemetry's own variables: each of them asks for traces. */
const asking = ['OTEL_TRACES_EXPORTER', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the environment asks for traces. */
export function wantsTraces(environment: Environment): boolean {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  return environment['OTEL_TRACES_EXPORTER'] !== 'none' && asking.some((name) => environment[name]);
}

/**
 * Starts OpenTelemetry's SDK, which reads `OTEL_*` itself. Call it before Fastify is made.
 * @returns a function that sends what has not been sent yet
 */
export async function startTraces(): Promise<() => Promise<void>> {
  const [{ NodeSDK }, { FastifyOtelInstrumentation }, { loggablePath }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@fastify/otel'),
    import('#libs/platform/http'),
  ]);
  const sdk = new NodeSDK({
    serviceName: 'gatehouse',
    instrumentations: [
      new FastifyOtelInstrumentation({
        registerOnInitialization: true,
        ignorePaths: ({ url }) => /^\/(health\/|metrics$)/.test(url),
        // One span a request: a span for each hook would cost more than it tells.
        instrumentHooks: false,
        // An error of the database driver may contain the row at fault.
        recordExceptions: false,
        requestHook: (span, request) => describeSpan(span, request, loggablePath),
      }),
    ],
  });
  sdk.start();
  return () => sdk.shutdown();
}

type PathOf = (request: FastifyRequest) => string;

/** The path is the one that the log shows: without the query and without tokens of messages. */
function describeSpan(span: Span, request: FastifyRequest, loggablePath: PathOf): void {
  const { url } = request.routeOptions;
  span.updateName(url === undefined ? request.method : `${request.method} ${url}`);
  span.setAttribute('url.path', loggablePath(request));
  request.traceId = span.spanContext().traceId;
}
