//! The model as JSON: the other formats hold nothing that is not in it. Keys stand in the model's order.

use crate::RenderError;
use crate::model::ReportModel;

pub(crate) fn render(model: &ReportModel) -> Result<Vec<u8>, RenderError> {
    let mut bytes = serde_json::to_vec_pretty(model).map_err(|_| RenderError::Text("JSON"))?;
    bytes.push(b'\n');
    Ok(bytes)
}
