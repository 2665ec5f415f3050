/** The query as it is edited: chips for what is committed, one text for what is being typed. No I/O. */
import { draftOf, type KnownValue, type Suggestion, suggest } from '../query/complete-query';
import { type Term, writeQuery, writeTerm } from '../query/fields';
import { type ReadQuery, readQuery } from '../query/list-scope';
import { parseQuery } from '../query/parse-query';
import { splitQuery } from '../query/query-edits';

export class QueryBarStore {
  chips = $state.raw<readonly Term[]>([]);
  draft = $state('');
  /** The list of completions is shown. */
  offering = $state(false);
  /** Place in the completions; -1 while none is chosen. */
  chosen = $state(-1);
  /** Values that are known of the draft's field. */
  values = $state.raw<readonly KnownValue[]>([]);
  /** The draft was run or left as it is: what is wrong with it is told. */
  tried = $state(false);
  readonly field = $derived(draftOf(this.draft).field);
  /** What is typed of the field's value. */
  readonly typed = $derived(draftOf(this.draft).typed);
  readonly suggestions = $derived<readonly Suggestion[]>(this.offering ? suggest(this.draft, this.values) : []);
  /** What was last handed out or taken in. */
  #committed = '';
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get text(): string {
    return [writeQuery(this.chips), this.draft.trim()].filter((part) => part !== '').join(' ');
  }

  /** What stands in the address, unless it came from here. */
  take(text: string): void {
    if (text === this.#committed) return;
    this.#committed = text;
    const { chips, draft } = splitQuery(text, this.#now());
    this.chips = chips;
    this.draft = draft;
    this.tried = draft !== '';
    this.close();
  }

  /** The whole as it would run, draft included. */
  read(): ReadQuery {
    return readQuery(this.text, this.#now());
  }

  /** What is wrong with the draft, a sentence; empty where nothing is or where it is still being typed. */
  get error(): string {
    if (!this.tried || this.draft.trim() === '') return '';
    return this.read().errors[0]?.message ?? '';
  }

  type(draft: string): void {
    this.draft = draft;
    this.tried = false;
    this.offering = true;
    this.chosen = -1;
  }

  close(): void {
    this.offering = false;
    this.chosen = -1;
  }

  move(by: number): void {
    this.offering = true;
    const count = this.suggestions.length;
    if (count === 0) return;
    this.chosen = this.chosen < 0 && by < 0 ? count - 1 : (this.chosen + by + count) % count;
  }

  /** @returns the new query, null where the value is still to be typed */
  choose(suggestion: Suggestion): string | null {
    this.draft = suggestion.text;
    this.chosen = -1;
    if (suggestion.open) return null;
    return this.commit();
  }

  /** A blank behind a whole term makes it a chip; in quotes and in free words it is a character. */
  get endsTerm(): boolean {
    const { terms, errors } = parseQuery(this.draft);
    return errors.length === 0 && terms.length === 1 && terms[0]?.field !== 'text' && this.read().errors.length === 0;
  }

  /** Turns the draft into chips. @returns the new query, null where something is wrong with it */
  commit(): string | null {
    const { scope, terms } = this.read();
    this.tried = true;
    this.close(); // what is wrong is told where the completions were
    if (scope === null) return null;
    return this.#set(
      terms.map(({ field, path, value }) => ({ field, path, value })),
      '',
    );
  }

  /** @returns the new query */
  remove(index: number): string {
    return this.#set(
      this.chips.filter((_, n) => n !== index),
      this.draft,
    );
  }

  /** The chip becomes the text that is edited; the list is not asked again before that is committed. */
  edit(index: number): void {
    const term = this.chips[index];
    if (term === undefined) return;
    this.chips = this.chips.filter((_, n) => n !== index);
    this.draft = writeTerm(term);
    this.tried = false;
    this.chosen = -1;
  }

  clearDraft(): void {
    this.draft = '';
    this.tried = false;
    this.close();
  }

  #set(chips: readonly Term[], draft: string): string {
    this.chips = chips;
    this.draft = draft;
    this.tried = false;
    this.close();
    this.#committed = writeQuery(chips);
    return this.#committed;
  }
}
