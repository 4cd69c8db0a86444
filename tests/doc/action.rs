struct Stock;

#[action]
impl Stock {
    async fn order(&self, ctx: &ActionContext, cart: String, product: String) -> Result<(), String> {
        ctx.entity::<Cart>(cart).add_item(product, "Deluxe", 1).await.map_err(|e| e.to_string())
    }

    fn counts(&self, ctx: &ActionContext, carts: Items<String>) -> Items<usize> {
        Items::unfold((ctx.clone(), carts), |(ctx, mut carts)| async {
            let cart = ctx.entity::<Cart>(carts.next().await?);
            Some((cart.items().await.ok()?.len(), (ctx, carts)))
        })
    }
}
