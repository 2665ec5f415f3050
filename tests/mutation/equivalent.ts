/** Mutants that behave like the script they were made from, or differ only in cost: by name, with the reason. */
export const EQUIVALENT: Readonly<Record<string, string>> = {};
