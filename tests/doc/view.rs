#[view]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sold { #[key] product_id: String, #[index] quantity: i64 }

#[derive(Default)]
pub struct Sales;

#[projection(name = "sales", version = 1, views = Sold)]
impl Sales {
    #[event_handler]
    fn added(&self, event: &CartEvent, _: &Envelope<Cart>, views: &mut Views<Self>) -> Result<(), ViewError> {
        let CartEvent::ItemAdded { product_id, quantity, .. } = event else { return Ok(()) };
        let before = views.get::<Sold>(product_id)?.map_or(0, |row| row.quantity);
        views.put(&Sold { product_id: product_id.clone(), quantity: before + quantity })
    }
}

async fn best(runtime: &Runtime) -> Result<Vec<Sold>, statefn::ReadError> {
    let best = runtime.view::<Sold>().index(Sold::QUANTITY).descending().limit(10);
    Ok(best.page().await?.rows)
}
