// Checks dashboards without a Grafana: against Grafana's own TypeScript schema, against Prometheus' own grammar of
// PromQL, and against what makes a dashboard usable elsewhere (data source variable, units, descriptions, links).
// Whether the queries find anything is check_panels.py's business.
//
//   node lint.mjs dashboard.json...

import fs from 'node:fs';
import path from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import ts from 'typescript';

const SCHEMA = 'node_modules/@grafana/schema/dist/esm';
const PANEL_TYPES = {
  bargauge: 'bargauge/panelcfg/x/BarGaugePanelCfg_types.gen',
  heatmap: 'heatmap/panelcfg/x/HeatmapPanelCfg_types.gen',
  piechart: 'piechart/panelcfg/x/PieChartPanelCfg_types.gen',
  stat: 'stat/panelcfg/x/StatPanelCfg_types.gen',
  'state-timeline': 'statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen',
  table: 'table/panelcfg/x/TablePanelCfg_types.gen',
  timeseries: 'timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen',
};
const WITHOUT_CUSTOM = new Set(['bargauge', 'stat']); // these panels have no custom field options
const DURATIONS = { __rate_interval: '1m', __range: '1h', __interval: '1m' };

const problems = [];
const report = (where, what) => problems.push(`${where}: ${what}`);
const panelsOf = (dashboard) => dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
const nameOf = (file, panel) => `${path.basename(file)}: panel ${panel.id} "${panel.title}"`;

// ---- Grafana's schema

// The schema's enums become unions of their values: JSON holds "table", not LegendDisplayMode.Table.
function withUnions(source) {
  const members = {};
  const unions = source.replace(/declare enum (\w+) \{([^}]*)\}/g, (_, name, body) => {
    const pairs = [...body.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/(\w+) = ([^,\n]+)/g)];
    members[name] = Object.fromEntries(pairs.map(([, key, value]) => [key, value]));
    return `type ${name} = ${pairs.map(([, , value]) => value).join(' | ')};`;
  });
  return unions.replace(/: (\w+)\.(\w+)\b/g, (all, name, key) => (members[name]?.[key] ? `: ${members[name][key]}` : all));
}

// What Grafana writes and its schema does not list: fields of the Prometheus data source, and these two.
function withoutUnlisted(dashboard) {
  const copy = structuredClone(dashboard);
  for (const variable of copy.templating.list) delete variable.definition;
  for (const annotation of copy.annotations.list) {
    for (const key of ['expr', 'step', 'titleFormat', 'textFormat', 'tagKeys']) delete annotation[key];
  }
  copy.panels = copy.panels.filter((panel) => panel.type !== 'row');
  return copy;
}

function typedSource(file, dashboard) {
  const out = [`import type { Dashboard, RowPanel } from '@grafana/schema/dist/esm/raw/dashboard/x/dashboard_types.gen';`];
  const where = [];
  const check = (name, type, value) => {
    where.push(name);
    out.push(`export const v${where.length}: ${type} = ${JSON.stringify(value)};`);
  };
  for (const [type, module] of Object.entries(PANEL_TYPES)) {
    out.push(`import type * as ${type.replace('-', '')} from '@grafana/schema/dist/esm/raw/composable/${module}';`);
  }
  check(path.basename(file), 'Dashboard', withoutUnlisted(dashboard));
  for (const panel of panelsOf(dashboard)) {
    const name = nameOf(file, panel);
    if (panel.type === 'row') {
      check(name, 'RowPanel', panel);
    } else if (!(panel.type in PANEL_TYPES)) {
      report(name, `no schema known for panels of type ${panel.type}`);
    } else {
      const module = panel.type.replace('-', '');
      check(`${name} options`, `Partial<${module}.Options>`, panel.options);
      const custom = panel.fieldConfig.defaults.custom;
      if (custom && WITHOUT_CUSTOM.has(panel.type)) report(name, `${panel.type} has no custom field options`);
      if (custom) check(`${name} fieldConfig`, `Partial<${module}.FieldConfig>`, custom);
      const overridden = panel.fieldConfig.overrides.flatMap((o) => o.properties).filter((p) => p.id.startsWith('custom.'));
      for (const { id, value } of overridden) {
        check(`${name} override ${id}`, `Partial<${module}.FieldConfig>`, { [id.slice('custom.'.length)]: value });
      }
    }
  }
  return { source: out.join('\n'), where, firstLine: out.length - where.length };
}

function checkSchema(file, dashboard) {
  const { source, where } = typedSource(file, dashboard);
  const options = {
    strict: true, noEmit: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Node10,
  };
  const host = ts.createCompilerHost(options);
  const virtual = path.resolve('dashboard.generated.ts');
  const { readFile, fileExists } = host;
  host.fileExists = (name) => name === virtual || fileExists(name);
  host.readFile = (name) => (name === virtual ? source : withUnions(readFile(name) ?? ''));
  host.getSourceFile = (name, target) => ts.createSourceFile(name, host.readFile(name), target);
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([virtual], options, host));
  for (const diagnostic of diagnostics) {
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ');
    const before = diagnostic.file?.text.slice(0, diagnostic.start) ?? '';
    const number = [...before.matchAll(/export const v(\d+):/g)].at(-1)?.[1];
    const near = diagnostic.file?.text.slice(diagnostic.start, diagnostic.start + 60);
    report(number ? where[number - 1] : file, `${text} (at ${near})`);
  }
}

// ---- PromQL

const substitute = (expr, variables) =>
  expr.replace(/\$\{(\w+)(?::\w+)?\}|\$(\w+)/g, (all, braced, plain) => {
    const name = braced ?? plain;
    if (name in DURATIONS) return DURATIONS[name];
    if (/^\d+$/.test(name)) return all; // "$1" of label_replace
    const variable = variables.find((v) => v.name === name);
    return variable ? (variable.type === 'custom' ? variable.current.value : name) : `UNKNOWN VARIABLE ${name}`;
  });

function checkExpression(where, expr, variables) {
  const query = substitute(expr, variables);
  let error = /UNKNOWN VARIABLE \w+/.exec(query)?.[0];
  parser.parse(query).iterate({
    enter: (node) => {
      if (node.type.isError) error ??= `PromQL does not parse near "${query.slice(Math.max(0, node.from - 20), node.to + 20)}"`;
    },
  });
  if (error) report(where, `${error}: ${expr}`);
  if (/\b(rate|increase)\([^)]*\[(?!\$__rate_interval\]|\$__range\])/.test(expr)) report(where, `a fixed range in ${expr}`);
  const plain = expr.replace(/\$\{(\w+)\}/g, '$$$1'); // no braces but those of selectors
  for (const [, selector] of plain.matchAll(/\b(?:probe|sonde|process|scrape)_\w+(\{[^}]*\})?/g)) {
    if (!selector?.includes('job=~"$job"')) report(where, `a selector without job=~"$job" in ${expr}`);
  }
}

// ---- what is asked of a panel and of a dashboard

function checkPanel(file, panel, variables) {
  const where = nameOf(file, panel);
  const { x, y, w, h } = panel.gridPos ?? {};
  if (!(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24)) report(where, 'gridPos is outside the grid of 24 columns');
  if (!panel.title) report(where, 'no title');
  if (panel.type === 'row') return;
  if (!panel.description) report(where, 'no description');
  if (panel.datasource?.uid !== '${datasource}') report(where, 'a data source that is not ${datasource}');
  const { defaults } = panel.fieldConfig;
  if (['timeseries', 'stat', 'bargauge', 'piechart'].includes(panel.type) && !defaults.unit) report(where, 'no unit');
  if (panel.type === 'heatmap' && !panel.options.yAxis.unit) report(where, 'no unit');
  if (!panel.targets?.length) report(where, 'no query');
  const seen = new Set();
  for (const target of panel.targets ?? []) {
    const here = `${where} query ${target.refId}`;
    if (seen.has(target.refId)) report(here, 'the refId is used twice');
    seen.add(target.refId);
    if (target.datasource?.uid !== '${datasource}') report(here, 'a data source that is not ${datasource}');
    if (target.instant === target.range) report(here, 'must be either instant or range');
    if (['table', 'bargauge', 'piechart'].includes(panel.type) && !target.instant) report(here, `a ${panel.type} needs an instant query`);
    if (['timeseries', 'heatmap'].includes(panel.type) && target.instant) report(here, `a ${panel.type} needs a range query`);
    if (panel.type === 'timeseries' && !target.legendFormat) report(here, 'no legend');
    if (panel.type === 'heatmap' && target.format !== 'heatmap') report(here, 'the format must be heatmap');
    checkExpression(here, target.expr, variables);
  }
}

function checkOverlaps(file, panels) {
  panels.forEach((a, i) => panels.slice(i + 1).forEach((b) => {
    const [p, q] = [a.gridPos, b.gridPos];
    if (p.x < q.x + q.w && q.x < p.x + p.w && p.y < q.y + q.h && q.y < p.y + p.h) report(nameOf(file, a), `overlaps panel ${b.id}`);
  }));
}

function checkLinks(file, text, dashboard, uids) {
  const urls = [];
  JSON.parse(text, (key, value) => {
    const links = key === 'links' ? value : value?.id === 'links' ? value.value : [];
    urls.push(...links.map((link) => link.url));
    return value;
  });
  for (const url of urls) {
    const uid = /^\/d\/([\w-]+)/.exec(url)?.[1];
    if (!uids.has(uid)) report(file, `a link to an unknown dashboard: ${url}`);
    if (!url.includes('${datasource:queryparam}')) report(file, `a link that loses the data source: ${url}`);
  }
  const linked = new Set(urls.map((url) => /^\/d\/([\w-]+)/.exec(url)?.[1]));
  for (const uid of uids) {
    if (uid !== dashboard.uid && !linked.has(uid)) report(file, `no link to ${uid}`);
  }
}

function checkDashboard(file, text, dashboard, uids) {
  const variables = dashboard.templating.list;
  const panels = panelsOf(dashboard);
  if ('id' in dashboard) report(file, 'id belongs to one Grafana: leave it out');
  if (!(dashboard.schemaVersion >= 39)) report(file, 'schemaVersion 39 is that of Grafana 11.0');
  if (variables[0]?.type !== 'datasource' || variables[0].query !== 'prometheus') report(file, 'the first variable must be the Prometheus data source');
  for (const name of ['job', 'target']) if (!variables.some((v) => v.name === name)) report(file, `no variable ${name}`);
  for (const variable of variables) {
    if (!variable.label || !variable.description) report(file, `variable ${variable.name} has no label or description`);
    if (!text.replace(`"name": "${variable.name}"`, '').match(new RegExp(`\\$\\{?${variable.name}\\b`))) report(file, `variable ${variable.name} is not used`);
  }
  const ids = panels.map((panel) => panel.id);
  if (new Set(ids).size !== ids.length) report(file, 'two panels have the same id');
  for (const panel of panels) checkPanel(file, panel, variables);
  for (const { name, datasource } of [...variables.filter((v) => v.type === 'query'), ...dashboard.annotations.list.filter((a) => !a.builtIn)]) {
    if (datasource?.uid !== '${datasource}') report(file, `${name}: a data source that is not \${datasource}`);
  }
  for (const annotation of dashboard.annotations.list.filter((a) => a.expr)) checkExpression(`${file}: annotation`, annotation.expr, variables);
  checkOverlaps(file, panels);
  checkLinks(file, text, dashboard, uids);
  checkSchema(file, dashboard);
}

const files = process.argv.slice(2).map((file) => path.resolve(file));
if (!files.length) {
  console.error('usage: node lint.mjs dashboard.json...');
  process.exit(2);
}
// Not import.meta.dirname: Debian 12's node is too old for it.
process.chdir(path.dirname(new URL(import.meta.url).pathname));
if (!fs.existsSync(SCHEMA)) {
  console.error('lint.mjs: run `npm ci` in this folder first');
  process.exit(2);
}
const texts = files.map((file) => fs.readFileSync(file, 'utf8'));
const dashboards = texts.map((text) => JSON.parse(text));
const uids = new Set(dashboards.map((dashboard) => dashboard.uid));
dashboards.forEach((dashboard, i) => checkDashboard(files[i], texts[i], dashboard, uids));
problems.forEach((problem) => console.log(problem));
console.log(`lint: ${dashboards.length} dashboards, ${dashboards.flatMap(panelsOf).length} panels, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);
