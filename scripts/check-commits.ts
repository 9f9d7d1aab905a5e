import { spawnSync } from 'node:child_process';

/**
 * Fails on a commit subject that a list of commits would cut. Commits
 * up to the base are as they are.
 */
const maxLength = 72;
const base = '32237bd8244b2b2c4e0d7311e2018b0c35bd152f';
const git = (...args: readonly string[]) => spawnSync('git', args, { encoding: 'utf8' });

// a shallow clone may not have the base, an archive no repository: what is not there is not checked
const hasBase = git('cat-file', '-e', `${base}^{commit}`).status === 0;
const isShallow = git('rev-parse', '--is-shallow-repository').stdout.trim() === 'true';
const range = hasBase ? [`${base}..HEAD`] : ['--max-count=1', 'HEAD'];
const { stdout, status } = git('log', '--no-merges', '--format=%h %s', ...range);
if (status !== 0) console.log('commit subjects: there is no repository to look at.');
const long = stdout.split('\n').filter((line) => line.slice(line.indexOf(' ') + 1).length > maxLength);
for (const line of long) console.error(`${line}\n  has more than ${maxLength} characters.`);
if (long.length > 0) process.exitCode = 1;
else if (isShallow && !hasBase) console.log('commit subjects: a shallow clone; only the last one was looked at.');
