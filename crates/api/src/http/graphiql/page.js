// The query page. Results are written as text, never as markup. The token lives in this tab only.
"use strict";

const RESULTS_MAX = 200; // events kept on screen
const EXAMPLE = `# Ctrl+Enter runs. A subscription streams until stopped.
query Newest {
  alerts(first: 10) {
    edges { node { id title severity status openedAt summary techniques { id name } } }
  }
  vendors(first: 10) {
    edges { node { name tier posture { grade score } risk { score level } } }
  }
}
`;
const INTROSPECTION = `query Schema { __schema { types { kind name description
  fields { name description args { name type { ...T } } type { ...T } }
  inputFields { name type { ...T } } enumValues { name } } } }
fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;

const $ = (id) => document.getElementById(id);
const results = [];
let running = null;

$("query").value = sessionStorage.getItem("query") || EXAMPLE;
$("variables").value = sessionStorage.getItem("variables") || "";
$("token").value = sessionStorage.getItem("token") || "";
$("run").addEventListener("click", () => run($("query").value));
$("stop").addEventListener("click", () => running && running.abort());
$("schema").addEventListener("click", () => run(INTROSPECTION, describe));
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run($("query").value);
});

async function run(query, show = (json) => JSON.stringify(json, null, 2)) {
  if (running) running.abort();
  for (const id of ["query", "variables", "token"]) sessionStorage.setItem(id, $(id).value);
  const own = (running = new AbortController());
  results.length = 0;
  $("result").textContent = "";
  $("stop").disabled = false;
  const started = performance.now();
  try {
    const variables = $("variables").value.trim() ? JSON.parse($("variables").value) : {};
    const response = await fetch("/graphql", {
      method: "POST",
      signal: own.signal,
      headers: {
        "Content-Type": "application/json",
        "Accept": "text/event-stream, application/json",
        "Authorization": "Bearer " + $("token").value.trim(),
      },
      body: JSON.stringify({ query, variables }),
    });
    $("status").textContent = String(response.status);
    if ((response.headers.get("Content-Type") || "").startsWith("text/event-stream")) {
      await follow(response.body, (json) => put(show(json)));
    } else {
      put(show(await response.json()));
    }
    $("status").textContent += " in " + Math.round(performance.now() - started) + " ms";
  } catch (error) {
    $("status").textContent = error.name === "AbortError" ? "stopped" : String(error.message || error);
  } finally {
    if (running === own) {
      running = null;
      $("stop").disabled = true;
    }
  }
}

async function follow(body, each) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const event = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (/^event: ?complete/m.test(event)) return;
      const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
      if (data.length && data.join("")) each(JSON.parse(data.join("\n")));
    }
  }
}

function put(text) {
  results.unshift(text);
  results.length = Math.min(results.length, RESULTS_MAX);
  $("result").textContent = results.join("\n\n");
}

function typeName(type) {
  if (!type) return "?";
  if (type.kind === "NON_NULL") return typeName(type.ofType) + "!";
  if (type.kind === "LIST") return "[" + typeName(type.ofType) + "]";
  return type.name;
}

function describe(json) {
  if (!json.data) return JSON.stringify(json, null, 2);
  const types = json.data.__schema.types.filter((type) => !type.name.startsWith("__") && type.kind !== "SCALAR");
  return types.map((type) => {
    const args = (field) => field.args && field.args.length
      ? "(" + field.args.map((arg) => arg.name + ": " + typeName(arg.type)).join(", ") + ")" : "";
    const fields = (type.fields || type.inputFields || []).map((f) => "  " + f.name + args(f) + ": " + typeName(f.type));
    const values = (type.enumValues || []).map((value) => "  " + value.name);
    return (type.description ? "# " + type.description + "\n" : "") + type.name + "\n" + fields.concat(values).join("\n");
  }).join("\n\n");
}
