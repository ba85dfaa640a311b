// Checks Kubernetes objects against the types that kubernetes-models publishes: each object becomes a typed literal
// and the TypeScript compiler says which fields are unknown, missing or of the wrong type. Needs no cluster.
//   node typecheck.mjs FILE.yaml...
import fs from "node:fs";
import path from "node:path";
import ts from "typescript";
import YAML from "yaml";

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const packages = ["kubernetes-models", "@kubernetes-models/prometheus-operator"];
const problems = [];
const names = [];
let source = "";

function model(object) {
    return packages
        .map((name) => `${name}/${object.apiVersion}/${object.kind}`)
        .find((name) => fs.existsSync(path.join(here, "node_modules", `${name}.d.ts`)));
}

for (const file of process.argv.slice(2)) {
    for (const document of YAML.parseAllDocuments(fs.readFileSync(file, "utf8"))) {
        problems.push(...document.errors.map((error) => `${file}: ${error.message}`));
        const object = document.toJS();
        if (!object) continue;
        const name = `${object.kind}/${object.metadata?.name}`;
        const type = model(object);
        if (!type) {
            problems.push(`${name}: no such kind in ${object.apiVersion}`);
            continue;
        }
        const i = names.push(name);
        source += `import type { I${object.kind} as T${i} } from "${type}"; export const o${i}: T${i} = ${JSON.stringify(object)};\n`;
    }
}
if (names.length === 0) problems.push("no objects to check");

const generated = path.join(here, "node_modules", ".typecheck.ts");
fs.writeFileSync(generated, source);
const program = ts.createProgram([generated], {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    module: ts.ModuleKind.CommonJS,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    target: ts.ScriptTarget.ES2020,
    types: [],
});
for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
    // Each object is one line of the generated source.
    const where = diagnostic.file ? names[diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start).line] : "";
    problems.push(`${where}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, " ")}`);
}
for (const problem of problems) console.error(problem);
console.log(`typecheck: ${names.length} objects, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);
