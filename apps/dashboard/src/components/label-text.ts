/** The labels of a text with commas between them, each once. */
export function labelsIn(text: string): readonly string[] {
  const labels = text.split(',').map((label) => label.trim());
  return [...new Set(labels)].filter((label) => label !== '');
}
