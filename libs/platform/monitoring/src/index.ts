export { type MetricReading, type MetricSource, MetricSources } from './metric-sources.js';
export { MonitoringModule } from './monitoring.module.js';
export { type CheckState, ReadinessChecks } from './readiness-checks.js';
