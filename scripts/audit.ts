import { spawnSync } from 'node:child_process';
import { env } from 'node:process';

import { judgeAudit } from './judge-audit.ts';

/**
 * Fails on known vulnerabilities of production dependencies, and in CI also when
 * nobody could be asked about them.
 */
const { stdout, stderr, status } = spawnSync('npm', ['audit', '--omit=dev', '--json', '--audit-level=moderate'], {
  encoding: 'utf8',
});
const { isGood, text } = judgeAudit({ stdout, stderr, status }, env);
console[isGood ? 'log' : 'error'](text);
if (!isGood) process.exitCode = 1;
