import { Lexer, Source, type Token, TokenKind } from 'graphql';

import { AppError } from '#libs/platform/errors';

import { queryLimits } from './query-limits.js';

const words = {
  tokens: 'tokens',
  levels: 'levels of brackets',
  aliases: 'aliases',
  sets: 'selection sets',
  spreads: 'spreads of fragments',
  repeats: 'fields of the same name in a selection set',
} as const;
type Counted = keyof typeof words;

const opening: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const closing: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);
/** A name after one of these is a field after its alias, a fragment or a directive: it is no name in the answer. */
const beforeOtherNames: ReadonlySet<TokenKind> = new Set([TokenKind.COLON, TokenKind.SPREAD, TokenKind.AT]);

/**
 * Bounds a query by the lexer alone. Parsing and validation took 143 ms of the event loop for 1.7 kB (`me{id}` 240
 * times, since each pair of fields of one name is compared), so what is too much must be refused before them; within these
 * bounds they take some 4 ms at most. Time is linear in the tokens that are allowed, the rest of the text is not read.
 * @returns the refusal; nothing also for a text that is no GraphQL, which the parser refuses and says where
 */
export function findExcess(query: string): AppError | undefined {
  const lexer = new Lexer(new Source(query));
  const meter = new SourceMeter();
  for (let token = next(lexer); token && token.kind !== TokenKind.EOF; token = next(lexer)) {
    const excess = meter.add(token);
    if (excess) {
      return new AppError('query-too-costly', {
        detail: `The query has more than ${queryLimits[excess]} ${words[excess]}.`,
      });
    }
  }
  return undefined;
}

/** Nothing where the text stops being GraphQL. */
function next(lexer: Lexer): Token | undefined {
  try {
    return lexer.advance();
  } catch {
    return undefined;
  }
}

class SourceMeter {
  readonly #count: Record<Counted, number> = { tokens: 0, levels: 0, aliases: 0, sets: 0, spreads: 0, repeats: 0 };
  /** Of each selection set that is open: how often a name would be in its answer. */
  readonly #open: Map<string, number>[] = [];
  #parentheses = 0;
  #previous: Token | undefined;

  /** @returns what there is too much of, with this token */
  add(token: Token): Counted | undefined {
    this.#count.tokens++;
    if (opening.has(token.kind)) this.#count.levels++;
    if (closing.has(token.kind)) this.#count.levels--;
    if (token.kind === TokenKind.PAREN_L) this.#parentheses++;
    if (token.kind === TokenKind.PAREN_R) this.#parentheses--;
    // within parentheses are arguments and variables, whose values have braces and colons too
    if (this.#parentheses === 0) this.#addToSelection(token);
    this.#previous = token;
    return excessOf(this.#count);
  }

  #addToSelection({ kind, value }: Token): void {
    if (kind === TokenKind.SPREAD) this.#count.spreads++;
    if (kind === TokenKind.COLON) this.#count.aliases++;
    if (kind === TokenKind.BRACE_L) {
      this.#count.sets++;
      this.#open.push(new Map());
    }
    if (kind === TokenKind.BRACE_R) this.#open.pop();
    if (kind === TokenKind.NAME && !this.#isOtherName()) this.#addName(value);
  }

  #addName(name: string): void {
    const names = this.#open.at(-1);
    this.#count.repeats = (names?.get(name) ?? 0) + 1;
    names?.set(name, this.#count.repeats);
  }

  /** The type behind the `on` of a fragment is one as well. */
  #isOtherName(): boolean {
    const { kind, value } = this.#previous ?? {};
    return kind !== undefined && (beforeOtherNames.has(kind) || value === 'on');
  }
}

const counted: readonly Counted[] = ['tokens', 'levels', 'aliases', 'sets', 'spreads', 'repeats'];
const excessOf = (count: Readonly<Record<Counted, number>>): Counted | undefined =>
  counted.find((what) => count[what] > queryLimits[what]);
