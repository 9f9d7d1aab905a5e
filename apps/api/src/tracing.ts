import type { Span } from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';

/** Anything that asks for traces, unless they are turned off (OpenTelemetry's own variables). */
const asking = ['OTEL_TRACES_EXPORTER', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the environment asks for traces. */
export function wantsTraces(environment: Environment): boolean {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  return environment['OTEL_TRACES_EXPORTER'] !== 'none' && asking.some((name) => environment[name]);
}

/**
 * Starts OpenTelemetry's SDK, which reads the rest from `OTEL_*` itself. It must run before Fastify is made.
 * @returns a function that sends what has not been sent yet
 */
export async function startTraces(): Promise<() => Promise<void>> {
  const [{ NodeSDK }, { FastifyOtelInstrumentation }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@fastify/otel'),
  ]);
  const sdk = new NodeSDK({
    serviceName: 'gatehouse',
    instrumentations: [
      new FastifyOtelInstrumentation({
        registerOnInitialization: true,
        ignorePaths: ({ url }) => /^\/(health\/|metrics$)/.test(url),
        // one span a request: a span for each hook would cost more than it tells
        instrumentHooks: false,
        // messages of errors may hold the row that a driver put into them
        recordExceptions: false,
        requestHook: describeSpan,
      }),
    ],
  });
  sdk.start();
  return () => sdk.shutdown();
}

/** Its name, the trace for the log, and no secret: a query may hold personal data, a path the secret of a message. */
function describeSpan(span: Span, request: FastifyRequest): void {
  const { url, config } = request.routeOptions;
  const path = config.isPathSecret ? url : request.url.split('?', 1)[0];
  span.updateName(url === undefined ? request.method : `${request.method} ${url}`);
  span.setAttribute('url.path', path ?? '');
  request.traceId = span.spanContext().traceId;
}
