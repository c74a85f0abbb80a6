/** Taxonomies: where labels come from, and the labels of tracks. */
export { loadLabelsets, setLabels } from './labelsets.ts';
export { createTaxonomy, getTaxonomy, listTaxonomies, removeTaxonomy } from './store.ts';
